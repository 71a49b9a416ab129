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
    unsigned nr_equal; /* timers of that deadline seen so far */
};

struct timer_statistics timer_statistics(void);

/* CPU by CPU, in the order they fire: the one behind *queued, which is all 0 at first. False past the last. None is
 * left out because others fire or are cancelled between two calls. */
bool timer_queued_next(struct queued_timer *queued);
