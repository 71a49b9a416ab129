/* What a watchdog is told by the scheduler, and may ask it: whether a CPU gets on. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

struct sched_watch {
    /* This CPU leaves the halt, or its idle work, for a thread. Context: irq-off. */
    void (*busy)(void);
    /* This CPU has nobody to run and is about to halt. Context: irq-off, no spinlock held. */
    void (*idle)(void);
};

/* watch must stay valid. Context: init. */
void sched_set_watch(const struct sched_watch *watch);

struct sched_progress {
    uint64_t nr_looks; /* how often it has asked itself whom to run: it stands still where nobody is let in */
    bool is_halted;    /* it is, or was until the interrupt it is in; or it takes no threads at all */
    bool is_quiet;     /* the same, and it is in no interrupt */
};

/* Of any CPU; a moment old if it is another one. Context: any. */
void sched_get_progress(uint32_t cpu, struct sched_progress *progress);
