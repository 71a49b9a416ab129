/* How long interrupts were off, preemption was off, and locks were held: the longest of each since boot or the last
 * reset, with where. Only in builds with CONFIG_LOCKDEP. */
#pragma once

#include <sync/lockdep.h>

enum latency_kind { LATENCY_INTERRUPTS_OFF, LATENCY_PREEMPTION_OFF, LATENCY_NR_KINDS };

struct latency {
    uint64_t ticks;     /* of the counter; 0: none yet */
    const void *begun;  /* return address: what turned it off */
    uint32_t nr_frames; /* the stack at the end of the section */
    const void *frames[LOCKDEP_FRAMES_MAX];
};

/* A CPU's longest; it may change while it is read. Context: any. */
const struct latency *latency_longest(uint32_t cpu, enum latency_kind kind);

/* Forgets all of them, those of locks included. Context: any. */
void latency_reset(void);

/* What takes longer is reported, as a warning in the log; 0: nothing is. Context: any. */
void latency_set_limit_ns(uint64_t limit_ns);
uint64_t latency_limit_ns(void);

/* True when the section is over the limit. Context: any. */
bool latency_is_over_limit(uint64_t ticks);

uint64_t latency_ticks_to_ns(uint64_t ticks);
