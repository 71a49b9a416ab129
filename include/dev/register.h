/* Device registers: typed, volatile, one access of exactly the register's width each.
 *
 * A register block is a struct whose members have these types, so a plain memory access to one does not compile. Blocks
 * nest: what devices share (the common part of a PCI header, the beginning of a capability) is a struct of its own
 * inside the others. A flexible array member stands for a run of registers whose number the device decides. A register
 * that is only read is const, so that a write to it does not compile. Every block has static_asserts for its size and
 * the offset of each register beside its definition in include/hw/ (a test requires them), and the same definitions run
 * on the host over an array. docs/registers.md.
 *
 *     struct common_cfg { reg32 feature_select; const reg32 feature; reg16 queue_size; ... };
 *     register_write(&cfg->feature_select, 0);
 *     features = register_read(&cfg->feature);
 *
 * Values are little-endian, as PCI and virtio have them and x86 is. Reads of a device that has been unplugged give all
 * ones. Context: any. */
#pragma once

#include <base/types.h>

typedef struct {
    volatile uint8_t value_;
} reg8;
typedef struct {
    volatile uint16_t value_;
} reg16;
typedef struct {
    volatile uint32_t value_;
} reg32;
typedef struct {
    volatile uint64_t value_;
} reg64;

#define DEFINE_REGISTER_(bits)                                                  \
    static inline uint##bits##_t register_read##bits(const reg##bits *r)        \
    {                                                                           \
        return r->value_;                                                       \
    }                                                                           \
    static inline void register_write##bits(reg##bits *r, uint##bits##_t value) \
    {                                                                           \
        r->value_ = value;                                                      \
    }

DEFINE_REGISTER_(8)
DEFINE_REGISTER_(16)
DEFINE_REGISTER_(32)
DEFINE_REGISTER_(64)

/* By the register's own width. */
#define REGISTER_BY_WIDTH_(r, x) \
    _Generic(*(r), reg8 : register_##x##8, reg16 : register_##x##16, reg32 : register_##x##32, reg64 : register_##x##64)
#define register_read(r)         REGISTER_BY_WIDTH_(r, read)(r)
#define register_write(r, value) REGISTER_BY_WIDTH_(r, write)(r, value)
