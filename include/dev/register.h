/* Device registers: typed, volatile, one access of exactly the register's width each.
 *
 * A register block is a struct whose members have these types, so a plain memory access to one does not compile; blocks
 * nest, and a flexible array member stands for a run of registers whose number the device decides. Every block has
 * static_asserts for its size and offsets beside its definition in include/hw/, and the same definitions run on the
 * host over a byte array.
 *
 *     struct common_cfg { reg32 feature_select; reg32 feature; reg16 queue_size; ... };
 *     register_write32(&cfg->feature_select, 0);
 *     features = register_read32(&cfg->feature);
 *
 * Values are little-endian, as PCI and virtio have them and x86 is. Reads of a device that has been unplugged give all
 * ones. */
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
