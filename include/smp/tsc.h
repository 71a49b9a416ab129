/* The CPUs' own counters, the time stamp counters as a rule, compared: the clock reads whichever CPU's it runs on, so
 * they have to agree. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <time/source.h>

/* How far a CPU's counter is ahead of another's, in ticks: between these. */
struct tsc_distance {
    int64_t least, most;
    bool do_agree; /* nothing was seen that counters that agree cannot show */
};

/* Compares this source's counter of a CPU that is online with that of the CPU this runs on. Context: thread, interrupts
 * on, no spinlock held. */
struct tsc_distance smp_tsc_distance(struct clock_source *source, uint32_t cpu);

/* Compares this CPU's counter with one other's, or with all, while the clock goes by such a counter. Where they do not
 * agree that is logged, the clock goes by the next best source from then on, and jumps ahead so far that it goes back
 * on no CPU. Returns whether they agree. Context: thread, interrupts on, nothing held. */
bool smp_tsc_check(uint32_t cpu);
bool smp_tsc_check_all(void);
