/* Registers of the HPET (IA-PC HPET specification 1.0a, 2.3). */
#pragma once

#include <base/assert.h>
#include <dev/register.h>

/* 2.3.8 to 2.3.10 */
struct hpet_comparator {
    reg32 config;
    const reg32 routes; /* a bit for each IOAPIC input it may be wired to */
    reg32 value, value_high;
    reg32 message_data, message_address; /* where it can raise an interrupt by itself */
    reg32 reserved_18[2];
};
static_assert(sizeof(struct hpet_comparator) == 0x20, "HPET 1.0a 2.3.8");
static_assert(offsetof(struct hpet_comparator, config) == 0x00, "HPET 1.0a 2.3.8");
static_assert(offsetof(struct hpet_comparator, routes) == 0x04, "HPET 1.0a 2.3.8");
static_assert(offsetof(struct hpet_comparator, value) == 0x08, "HPET 1.0a 2.3.9");
static_assert(offsetof(struct hpet_comparator, value_high) == 0x0c, "HPET 1.0a 2.3.9");
static_assert(offsetof(struct hpet_comparator, message_data) == 0x10, "HPET 1.0a 2.3.10");
static_assert(offsetof(struct hpet_comparator, message_address) == 0x14, "HPET 1.0a 2.3.10");

/* 2.3.1, table 2; registers of 64 bits in halves, for such accesses are not for every bridge. */
struct hpet_registers {
    const reg32 capabilities; /* revision, number of comparators less one */
    const reg32 period;       /* femtoseconds of a tick */
    reg32 reserved_08[2];
    reg32 configuration, reserved_14[3];
    reg32 interrupt_status, reserved_24[51];
    reg32 counter, counter_high;
    reg32 reserved_f8[2];
    struct hpet_comparator comparators[];
};
static_assert(sizeof(struct hpet_registers) == 0x100, "HPET 1.0a 2.3.1");
static_assert(offsetof(struct hpet_registers, capabilities) == 0x000, "HPET 1.0a 2.3.4");
static_assert(offsetof(struct hpet_registers, period) == 0x004, "HPET 1.0a 2.3.4");
static_assert(offsetof(struct hpet_registers, configuration) == 0x010, "HPET 1.0a 2.3.5");
static_assert(offsetof(struct hpet_registers, interrupt_status) == 0x020, "HPET 1.0a 2.3.6");
static_assert(offsetof(struct hpet_registers, counter) == 0x0f0, "HPET 1.0a 2.3.7");
static_assert(offsetof(struct hpet_registers, counter_high) == 0x0f4, "HPET 1.0a 2.3.7");
static_assert(offsetof(struct hpet_registers, comparators) == 0x100, "HPET 1.0a 2.3.8");

#define HPET_SIZE            0x400
#define HPET_BASE_ALIGNMENT  8 /* 2.3.1: registers of 64 bits */
#define HPET_COMPARATORS_MAX ((HPET_SIZE - sizeof(struct hpet_registers)) / sizeof(struct hpet_comparator))

#define HPET_ENABLE        (1u << 0)
#define HPET_LEGACY_ROUTES (1u << 1)

#define HPET_COMPARATOR_ENABLE      (1u << 2)
#define HPET_COMPARATOR_32_BITS     (1u << 8)
#define HPET_COMPARATOR_ROUTE_SHIFT 9
#define HPET_COMPARATOR_FSB         (1u << 14)

#define HPET_PERIOD_MAX_FS 100000000u /* 2.3.4: 100 ns */
#define HPET_PERIOD_MIN_FS 1000000u   /* faster than 1 GHz is a broken register */
