/* Deferred work: what an interrupt handler starts and leaves to run with interrupts on, on the same CPU, before the
 * interrupted code goes on. Until threads exist it must not sleep. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <cpu/percpu.h>
#include <lib/list.h>

struct deferred {
    struct list link; /* [c] with interrupts off */
    void (*run)(struct deferred *deferred);
    bool is_pending;     /* [a] */
    uint32_t nr_running; /* [a] CPUs that run it */
};

#define DEFERRED_INITIALIZER(function) \
    {                                  \
        .run = (function)              \
    }

/* Queues it on this CPU unless it is pending already: once per queueing, however often asked. In a thread the CPU
 * interrupts itself, so that it runs at once or when interrupts are on again. Context: any but NMI. */
void deferred_queue(struct deferred *deferred);

/* When it returns the work is neither queued nor running; nobody queues it any more. Then its memory may go. Context:
 * thread. */
void deferred_flush(struct deferred *deferred);

/* The interrupt for that. Context: init, before the first is queued. */
void deferred_init(void);

/* Runs what is queued on this CPU, one after the other, interrupts on while it does; the trap layer calls it on the way
 * out of the outermost interrupt, when the interrupted code had interrupts on, and so does the idle loop, and who waits
 * where nothing can interrupt at a moment. That code may hold a spinlock, so one
 * that deferred work takes is taken with an irqsave form elsewhere. Context: irq-off. */
void deferred_run(void);

extern PER_CPU struct list deferred_here; /* [c] with interrupts off; all zero until first used */

/* Context: irq-off. */
static ALWAYS_INLINE bool deferred_is_pending(void)
{
    const struct list *list = this_cpu_pointer(deferred_here);

    return list->next && !list_is_empty(list);
}

/* Interrupts this CPU, so that what is queued on it runs once interrupts are on; without an interrupt controller it
 * waits for who calls deferred_run next. Context: irq-off. */
void deferred_interrupt(void);
