/* Registers of the HPET (IA-PC HPET specification 1.0a, 2.3). */
#pragma once

#define HPET_CAPABILITIES  0x000 /* low: revision, comparators; high: femtoseconds of a tick */
#define HPET_PERIOD        0x004
#define HPET_CONFIGURATION 0x010
#define HPET_COUNTER       0x0f0 /* low half */
#define HPET_SIZE          0x400

#define HPET_COMPARATOR_CONFIG(n) (0x100 + 0x20 * (n))
#define HPET_COMPARATOR_ROUTES(n) (0x104 + 0x20 * (n)) /* a bit for each IOAPIC input it may be wired to */
#define HPET_COMPARATOR(n)        (0x108 + 0x20 * (n))

#define HPET_ENABLE        (1u << 0)
#define HPET_LEGACY_ROUTES (1u << 1)

#define HPET_COMPARATOR_ENABLE      (1u << 2)
#define HPET_COMPARATOR_32_BITS     (1u << 8)
#define HPET_COMPARATOR_ROUTE_SHIFT 9
#define HPET_COMPARATOR_FSB         (1u << 14)

#define HPET_PERIOD_MAX_FS 100000000u /* 2.3.4: 100 ns */
#define HPET_PERIOD_MIN_FS 1000000u   /* faster than 1 GHz is a broken register */
