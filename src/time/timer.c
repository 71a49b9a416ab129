/* Each CPU's queue, run by its event source. The lock is not held while a timer's function runs; `running` says whose
 * does, for timer_cancel to wait for.
 *
 * Most timers are time-outs that do not happen, and arming an event source is dear: a hypervisor has to be asked. So it
 * is armed for the first deadline or for an earlier moment, never for a later one: a timer that is set touches it only
 * when it is due before that moment, one that is cancelled never does. What is armed too early is taken back before the
 * CPU halts (timer_settle), or ends in an interrupt that finds nothing due and arms anew. */
#include <time/timer.h>

#include "clock_internal.h"
#include "timer_queue.h"
#include "timers.h"

#include <base/assert.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <debug/idle.h>
#include <time/clock.h>

struct cpu_timers {
    struct spinlock lock; /* "timer queue"; interrupts take it */
    struct timer_queue queue;
    struct timer *running;
    uint64_t armed_ns; /* for when the event source is armed at the latest; UINT64_MAX: not at all */
    uint64_t nr_fired, nr_events;
};

static PER_CPU struct cpu_timers timers;

/* Interrupts off. There is one CPU with timers so far; timer->cpu is its number. */
static struct cpu_timers *this_cpu_timers(void)
{
    struct cpu_timers *t = this_cpu_pointer(timers);

    if (UNLIKELY(!t->lock.name)) {
        spinlock_init(&t->lock, "timer queue");
        timer_queue_init(&t->queue);
        t->armed_ns = UINT64_MAX;
    }
    return t;
}

void timer_init(struct timer *timer, timer_function function)
{
    *timer = (struct timer){.function = function};
}

static uint64_t first_deadline(struct cpu_timers *t)
{
    const struct timer *first = timer_queue_first(&t->queue);

    return first ? first->deadline_ns : UINT64_MAX;
}

/* [q] */
static NOINLINE void arm(struct cpu_timers *t, uint64_t deadline_ns)
{
    t->armed_ns = deadline_ns;
    event_program(deadline_ns);
}

static void arm_first(struct cpu_timers *t)
{
    arm(t, first_deadline(t));
}

void timer_set(struct timer *timer, uint64_t deadline_ns)
{
    uint64_t flags = irq_save();
    struct cpu_timers *t = this_cpu_timers();

    spinlock_lock_irq_off(&t->lock);
    if (timer->place != TIMER_NOWHERE) {
        ASSERT(timer->cpu == this_cpu_read(percpu.cpu_number));
        timer_queue_remove(&t->queue, timer);
    }
    timer->deadline_ns = deadline_ns;
    timer->cpu = this_cpu_read(percpu.cpu_number);
    timer_queue_insert(&t->queue, timer);
    if (deadline_ns < t->armed_ns)
        arm(t, deadline_ns);
    spinlock_unlock_irq_off(&t->lock);
    irq_restore(flags);
}

bool timer_cancel(struct timer *timer)
{
    uint64_t flags = irq_save();
    struct cpu_timers *t = this_cpu_timers();
    bool was_queued;

    spinlock_lock_irq_off(&t->lock);
    while (t->running == timer) { /* on another CPU: its own has interrupts off until it is done */
        spinlock_unlock_irq_off(&t->lock);
        cpu_relax();
        spinlock_lock_irq_off(&t->lock);
    }
    was_queued = timer->place != TIMER_NOWHERE;
    if (was_queued) {
        ASSERT(timer->cpu == this_cpu_read(percpu.cpu_number));
        timer_queue_remove(&t->queue, timer);
    }
    spinlock_unlock_irq_off(&t->lock);
    irq_restore(flags);
    return was_queued;
}

/* Runs what is due, one after the other: each may set itself and others again. [q] on entry and exit */
static void run_due(struct cpu_timers *t)
{
    struct timer *first;

    while ((first = timer_queue_first(&t->queue)) != NULL && first->deadline_ns <= clock_now_ns()) {
        timer_queue_remove(&t->queue, first);
        t->running = first;
        t->nr_fired++;
        spinlock_unlock_irq_off(&t->lock);
        first->function(first);
        spinlock_lock_irq_off(&t->lock);
        t->running = NULL;
    }
}

void event_fired(struct event_source *source)
{
    struct cpu_timers *t = this_cpu_timers();

    ASSERT(!irqs_are_enabled());
    __atomic_add_fetch(&source->nr_fired, 1, __ATOMIC_RELAXED);
    spinlock_lock_irq_off(&t->lock);
    t->nr_events++;
    run_due(t);
    arm_first(t);
    spinlock_unlock_irq_off(&t->lock);
    clock_watch();
}

void timer_poll(void)
{
    uint64_t flags;
    struct cpu_timers *t;

    if (event_source_current())
        return;
    flags = irq_save();
    t = this_cpu_timers();
    if (!t->running) {
        spinlock_lock_irq_off(&t->lock);
        run_due(t);
        spinlock_unlock_irq_off(&t->lock);
    }
    irq_restore(flags);
}

IDLE_WORK(timers, timer_poll);

bool timer_will_interrupt(void)
{
    return event_source_current() != NULL;
}

void timer_reprogram(void)
{
    uint64_t flags = irq_save();
    struct cpu_timers *t = this_cpu_timers();

    spinlock_lock_irq_off(&t->lock);
    arm_first(t);
    spinlock_unlock_irq_off(&t->lock);
    irq_restore(flags);
}

void timer_settle(void)
{
    struct cpu_timers *t = this_cpu_timers();

    ASSERT(!irqs_are_enabled());
    spinlock_lock_irq_off(&t->lock);
    if (t->armed_ns != first_deadline(t))
        arm_first(t);
    spinlock_unlock_irq_off(&t->lock);
}

struct timer_statistics timer_statistics(void)
{
    uint64_t flags = irq_save();
    struct cpu_timers *t = this_cpu_timers();
    struct timer_statistics s;

    spinlock_lock_irq_off(&t->lock);
    s = (struct timer_statistics){.nr_fired = t->nr_fired, .nr_events = t->nr_events};
    for (const struct timer *timer = timer_queue_first(&t->queue); timer; timer = timer_queue_next(timer))
        s.nr_queued++;
    spinlock_unlock_irq_off(&t->lock);
    irq_restore(flags);
    return s;
}

bool timer_queued(unsigned n, struct queued_timer *queued)
{
    uint64_t flags = irq_save();
    struct cpu_timers *t = this_cpu_timers();
    const struct timer *timer;

    spinlock_lock_irq_off(&t->lock);
    timer = timer_queue_first(&t->queue);
    while (timer && n-- > 0)
        timer = timer_queue_next(timer);
    if (timer)
        *queued = (struct queued_timer){.deadline_ns = timer->deadline_ns, .function = timer->function};
    spinlock_unlock_irq_off(&t->lock);
    irq_restore(flags);
    return timer != NULL;
}
