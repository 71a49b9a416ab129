/* What drivers register with time: counters that say how late it is, and events that interrupt at a given moment. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

/* A free-running counter. read is lock-free and callable in any context. */
struct clock_source {
    const char *name; /* "tsc", "hpet", "acpi_pm" */
    uint64_t (*read)(struct clock_source *source);
    uint64_t mask;             /* the counter wraps behind it */
    uint64_t frequency_hz;     /* of the registered source; not 0 */
    int rating;                /* the highest is used; 0 is never used */
    bool is_tsc;               /* read is this CPU's rdtsc: the clock does without the call */
    bool is_per_cpu;           /* each CPU has a counter of its own, which should agree (smp/tsc.h); 64 bits */
    struct clock_source *next; /* [time lock] */
};

/* Adds a source; may switch the clock to it, without a step. Context: thread. */
void clock_source_register(struct clock_source *source);
/* Takes it out of use, with the reason in the log: a TSC that drifts. Then event sources that go by it are used only
 * where there is no other, now and when they are registered later. Context: any but NMI, no timer's function. */
void clock_source_distrust(struct clock_source *source, const char *reason);
/* The same of a counter that differs between CPUs, by lead_ns at most: the clock jumps ahead by that, so that it does
 * not go back on the CPU whose counter was ahead. Context: as above. */
void clock_source_distrust_ahead(struct clock_source *source, const char *reason, uint64_t lead_ns);

/* Has compare called whenever an event comes by: it starts, now and then, what compares the CPUs' counters. compare
 * runs in interrupt context and takes no time where it is not yet time. Context: init, once. */
void clock_watch_connect(void (*compare)(void));

/* Something that can interrupt this CPU once, at a moment. */
struct event_source {
    const char *name; /* "tsc-deadline", "lapic", "hpet" */
    /* Arms it to fire delay_ns from now (clamped to what the hardware can); 0 means at once. Context: irq-off. */
    void (*arm)(struct event_source *source, uint64_t delay_ns);
    void (*disarm)(struct event_source *source);
    uint64_t max_delay_ns;
    uint64_t nr_fired; /* [a] */
    /* It may fire early by one part in 2^n, for its frequency is not known better than that against the clock's; it is
     * armed for so much later, or it would have to be armed twice. 0: it goes by the clock's own counter. */
    uint8_t doubt_shift;
    bool is_per_cpu;
    bool goes_by_tsc;          /* it counts in the time stamp counter's ticks: worth as little as that */
    int rating;                /* [time lock] the highest is used; 0 where there is no other */
    struct event_source *next; /* [time lock] */
};

/* Adds a source once it has shown that it interrupts: it is armed and given half a second. -EIO where it did not. It is
 * used from then on if it is the best. Turns interrupts on meanwhile. Context: thread, init. */
MUST_CHECK int event_source_register(struct event_source *source);
/* All that there are have been registered: says so where there is none. Context: init. */
void event_sources_done(void);
/* The source's interrupt handler calls this. Context: irq-off. */
void event_fired(struct event_source *source);

/* The n-th source, best first, and the one in use (NULL: none yet). Context: thread. */
struct clock_source *clock_source_at(unsigned n);
struct clock_source *clock_source_current(void);
struct event_source *event_source_at(unsigned n);
struct event_source *event_source_current(void);

/* Uses this registered event source instead, whatever the ratings say, with everything that is armed. Context: any but
 * NMI. */
void event_source_use(struct event_source *source);

/* The time stamp counter, measured against the best source registered so far, else against the PIT; becomes a source
 * itself. Context: init. */
void tsc_clock_init(void);
/* Ticks a second as measured; 0 before. Context: any. */
uint64_t tsc_measured_hz(void);
/* "hpet"; what it was measured against, or by whom it was told. Context: any. */
const char *tsc_measured_against(void);

/* The wall clock at this moment, in seconds since 1970-01-01 00:00 UTC. Context: init. */
void clock_set_wall(uint64_t seconds);
