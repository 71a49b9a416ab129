/* What drivers register with time: counters that say how late it is, and events that interrupt at a given moment. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

/* A free-running counter. read is lock-free and callable in any context. */
struct clock_source {
    const char *name;               /* "tsc", "hpet", "acpi_pm" */
    uint64_t (*read)(struct clock_source *source);
    uint64_t mask;                  /* the counter wraps behind it */
    uint64_t frequency_hz;          /* of the registered source; not 0 */
    int rating;                     /* the highest is used; 0 is never used */
    struct clock_source *next;      /* [time lock] */
};

/* Adds a source; may switch the clock to it, without a step. Context: thread. */
void clock_source_register(struct clock_source *source);
/* Takes it out of use, with the reason in the log: a TSC that drifts. Context: any but NMI. */
void clock_source_distrust(struct clock_source *source, const char *reason);

/* Something that can interrupt this CPU once, at a moment. */
struct event_source {
    const char *name;               /* "tsc-deadline", "lapic", "hpet" */
    /* Arms it to fire delay_ns from now (clamped to what the hardware can); 0 means at once. Context: irq-off. */
    void (*arm)(struct event_source *source, uint64_t delay_ns);
    void (*disarm)(struct event_source *source);
    uint64_t max_delay_ns;
    bool is_per_cpu;
    int rating;
    struct event_source *next;      /* [time lock] */
};

void event_source_register(struct event_source *source);
/* The source's interrupt handler calls this. Context: irq-off. */
void event_fired(void);
