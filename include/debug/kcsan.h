/* The data race detector, preset `kcsan`: the compiler calls src/debug/kcsan.c before each access. Of one in so many
 * plain accesses the CPU waits a moment, with a watchpoint on what it is about to access: whoever meets it there,
 * another CPU or whatever interrupts this one, is the other side of a race, unless both only read. Accesses that say
 * that they race (atomics, READ_ONCE, WRITE_ONCE, volatile, DATA_RACE) are never watched, but meet watchpoints.
 *
 * Each race is reported once, as a warning, and counted. docs/sanitizers.md. */
#pragma once

#include <base/types.h>

#ifndef CONFIG_KCSAN
#define CONFIG_KCSAN 0
#endif

#define KCSAN_EVERY_DEFAULT    4000u /* `keel.kcsan-every=` */
#define KCSAN_DELAY_US_DEFAULT 20u   /* `keel.kcsan-delay-us=` */

void kcsan_start_(uint64_t every, uint64_t delay_us);

/* One plain access in about `every` is watched (0: none), for delay_us microseconds, an eighth of it with interrupts
 * off. Does nothing in other builds. Context: init, when the TSC's frequency is known. */
static inline void kcsan_start(uint64_t every, uint64_t delay_us)
{
    if (CONFIG_KCSAN)
        kcsan_start_(every, delay_us);
}

uint64_t kcsan_races_(void);

/* Different races found so far; 0 in other builds. Context: any. */
static inline uint64_t kcsan_races(void)
{
    return CONFIG_KCSAN ? kcsan_races_() : 0;
}
