/* What the prompt shows of the timers of all CPUs. Context: any but NMI. */
#pragma once

#include <time/timer.h>

struct timer_statistics {
    uint64_t nr_fired, nr_events, nr_queued;
};

struct queued_timer {
    uint64_t deadline_ns;
    timer_function function;
    uint32_t cpu;
};

struct timer_statistics timer_statistics(void);

/* CPU by CPU, the n-th to fire; false past the last. */
bool timer_queued(unsigned n, struct queued_timer *queued);
