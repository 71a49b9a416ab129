/* Each CPU's queue, run by its event source.
 *
 *  T1. A timer's queue is the one it was last set in, or NULL. It changes under the lock of the queue it names (from
 *      NULL: by one compare-and-exchange), so who has locked a queue and finds that the timer still names it has the
 *      timer.
 *  T2. A timer is set into the queue of the CPU that sets it, unless its function runs at that moment on another one:
 *      then it stays there, so that the function never runs twice at a time.
 *  T3. The lock is not held while a timer's function runs; `running` says whose does, for timer_cancel to wait for, and
 *      for T2. Two queues' locks are never held together.
 *
 * Most timers are time-outs that do not happen, and arming an event source is dear: a hypervisor has to be asked. So it
 * is armed for the first deadline or for an earlier moment, never for a later one: a timer that is set touches it only
 * when it is due before that moment, one that is cancelled never does. What is armed too early is taken back before the
 * CPU halts (timer_settle), or ends in an interrupt that finds nothing due and arms anew. */
#include <time/timer.h>

#include "clock_internal.h"
#include "event_shared.h"
#include "timer_queue.h"
#include "timers.h"

#include <base/assert.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <debug/idle.h>
#include <irq/activity.h>
#include <time/clock.h>

struct cpu_timers {
    struct spinlock lock; /* "timer queue"; interrupts take it */
    struct timer_queue queue;
    struct timer *running;
    uint64_t armed_ns; /* for when the event source is armed at the latest; UINT64_MAX: not at all */
    uint64_t nr_fired, nr_events;
    const struct percpu *percpu; /* [I] its CPU's, whose number is not final while it starts */
    struct cpu_timers *next;     /* [I] in all_timers */
};

static PER_CPU struct cpu_timers timers; /* [q] each one's lock */
static struct cpu_timers *all_timers;    /* [a] of the CPUs that have asked for theirs; they stay for ever */

static NOINLINE void begin_timers(struct cpu_timers *t)
{
    spinlock_init(&t->lock, "timer queue");
    timer_queue_init(&t->queue);
    t->armed_ns = UINT64_MAX;
    t->percpu = this_cpu_read(percpu.self);
    t->next = __atomic_load_n(&all_timers, __ATOMIC_RELAXED);
    /* release: pairs with the acquires of who walks the list */
    while (!__atomic_compare_exchange_n(&all_timers, &t->next, t, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        ;
}

/* Interrupts off. */
static struct cpu_timers *this_cpu_timers(void)
{
    struct cpu_timers *t = this_cpu_pointer(timers);

    if (UNLIKELY(!t->lock.name))
        begin_timers(t);
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

/* [q] of this CPU */
static NOINLINE void arm(struct cpu_timers *t, uint64_t deadline_ns)
{
    t->armed_ns = deadline_ns;
    event_program(deadline_ns);
}

static void arm_first(struct cpu_timers *t)
{
    arm(t, first_deadline(t));
}

static struct cpu_timers *queue_of(const struct timer *timer)
{
    return __atomic_load_n(&timer->queue, __ATOMIC_ACQUIRE); /* pairs with the releases in take_in and bring */
}

/* The queue, locked (T1), of a timer that was set once. Interrupts off. */
static struct cpu_timers *lock_queue_of(const struct timer *timer)
{
    for (;;) {
        struct cpu_timers *t = queue_of(timer);

        spinlock_lock_irq_off(&t->lock);
        if (LIKELY(queue_of(timer) == t))
            return t;
        spinlock_unlock_irq_off(&t->lock);
    }
}

/* A timer that was never set. [q] here */
static bool take_in(struct cpu_timers *here, struct timer *timer)
{
    struct cpu_timers *none = NULL;

    return __atomic_compare_exchange_n(&timer->queue, &none, here, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* Out of another CPU's queue. Returns the one it is to be set in, locked: this CPU's, or that where it runs (T2).
 * Interrupts off. */
static struct cpu_timers *bring(struct timer *timer, struct cpu_timers *here)
{
    for (;;) {
        struct cpu_timers *there = lock_queue_of(timer);

        if (there == here || there->running == timer)
            return there;
        if (timer->place != TIMER_NOWHERE)
            timer_queue_remove(&there->queue, timer);
        __atomic_store_n(&timer->queue, here, __ATOMIC_RELEASE); /* pairs with queue_of */
        spinlock_unlock_irq_off(&there->lock);
    }
}

/* [q] */
static ALWAYS_INLINE void set_locked(struct cpu_timers *t, struct timer *timer, uint64_t deadline_ns)
{
    if (timer->place != TIMER_NOWHERE)
        timer_queue_remove(&t->queue, timer);
    timer->deadline_ns = deadline_ns;
    timer_queue_insert(&t->queue, timer);
}

/* The first time on this CPU. [q] of here, which it lets go */
static NOINLINE void set_anew(struct cpu_timers *here, struct timer *timer, uint64_t deadline_ns)
{
    struct cpu_timers *t = here;

    if (!take_in(here, timer)) {
        spinlock_unlock_irq_off(&here->lock);
        t = bring(timer, here);
    }
    set_locked(t, timer, deadline_ns);
    if (t == here && deadline_ns < t->armed_ns) /* where it runs it is armed for when the function is done */
        arm(t, deadline_ns);
    spinlock_unlock_irq_off(&t->lock);
}

void timer_set(struct timer *timer, uint64_t deadline_ns)
{
    uint64_t flags = irq_save();
    struct cpu_timers *here = this_cpu_timers();

    spinlock_lock_irq_off(&here->lock);
    if (LIKELY(queue_of(timer) == here)) {
        set_locked(here, timer, deadline_ns);
        if (deadline_ns < here->armed_ns)
            arm(here, deadline_ns);
        spinlock_unlock_irq_off(&here->lock);
    } else {
        set_anew(here, timer, deadline_ns);
    }
    irq_restore(flags);
}

/* [q] */
static ALWAYS_INLINE bool cancel_locked(struct cpu_timers *t, struct timer *timer)
{
    if (timer->place == TIMER_NOWHERE)
        return false;
    timer_queue_remove(&t->queue, timer);
    return true;
}

/* It runs on another CPU, for which our interrupts need not stay off, or was moved. */
static NOINLINE bool cancel_elsewhere(struct timer *timer, uint64_t flags)
{
    struct cpu_timers *t = lock_queue_of(timer);
    bool was_queued;

    while (t->running == timer) {
        ASSERT(t != this_cpu_timers()); /* interrupts are off while it runs: it would wait for itself */
        spinlock_unlock_irq_off(&t->lock);
        irq_restore(flags);
        cpu_relax();
        flags = irq_save();
        t = lock_queue_of(timer);
    }
    was_queued = cancel_locked(t, timer);
    spinlock_unlock_irq_off(&t->lock);
    irq_restore(flags);
    return was_queued;
}

bool timer_cancel(struct timer *timer)
{
    struct cpu_timers *t = queue_of(timer);
    bool was_queued;
    uint64_t flags;

    lockdep_wait_for_function("timer", (uintptr_t)timer->function);
    if (UNLIKELY(!t))
        return false;
    flags = irq_save();
    spinlock_lock_irq_off(&t->lock);
    if (UNLIKELY(queue_of(timer) != t || t->running == timer)) {
        spinlock_unlock_irq_off(&t->lock);
        return cancel_elsewhere(timer, flags);
    }
    was_queued = cancel_locked(t, timer);
    spinlock_unlock_irq_off(&t->lock);
    irq_restore(flags);
    return was_queued;
}

/* Runs what is due now, one after the other: each may set itself and others again. What comes due meanwhile waits for
 * the next interrupt, or timers that are set anew faster than they run would keep this CPU. True where any ran. [q] on
 * entry and exit */
static bool run_due(struct cpu_timers *t)
{
    uint64_t nr_before = t->nr_fired, now = clock_now_ns();
    struct lockdep_map map;
    struct timer *first;

    while ((first = timer_queue_first(&t->queue)) != NULL && first->deadline_ns <= now) {
        timer_queue_remove(&t->queue, first);
        t->running = first;
        t->nr_fired++;
        spinlock_unlock_irq_off(&t->lock);
        map = (struct lockdep_map){};
        lockdep_function_enter(&map, "timer", (uintptr_t)first->function, 0);
        first->function(first);
        lockdep_function_exit(&map);
        spinlock_lock_irq_off(&t->lock);
        t->running = NULL;
    }
    return t->nr_fired != nr_before;
}

void timer_kicked(void)
{
    struct cpu_timers *t = this_cpu_timers();
    bool has_run;

    ASSERT(!irqs_are_enabled());
    spinlock_lock_irq_off(&t->lock);
    t->nr_events++;
    has_run = run_due(t);
    arm_first(t);
    spinlock_unlock_irq_off(&t->lock);
    if (has_run)
        activity_note();
    clock_watch_later();
}

void event_fired(struct event_source *source)
{
    __atomic_add_fetch(&source->nr_fired, 1, __ATOMIC_RELAXED);
    if (!source->is_per_cpu)
        event_shared_fired(source);
    timer_kicked();
}

void timer_poll(void)
{
    uint64_t flags;
    struct cpu_timers *t;
    bool has_run = false;

    if (event_source_current())
        return;
    flags = irq_save();
    t = this_cpu_timers();
    if (!t->running) {
        spinlock_lock_irq_off(&t->lock);
        has_run = run_due(t);
        spinlock_unlock_irq_off(&t->lock);
    }
    if (has_run)
        activity_note();
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

static struct cpu_timers *first_cpu(void)
{
    return __atomic_load_n(&all_timers, __ATOMIC_ACQUIRE); /* pairs with the release in begin_timers */
}

struct timer_statistics timer_statistics(void)
{
    struct timer_statistics s = {0};

    for (struct cpu_timers *t = first_cpu(); t; t = t->next) {
        uint64_t flags = spinlock_lock_irqsave(&t->lock);

        s.nr_fired += t->nr_fired;
        s.nr_events += t->nr_events;
        for (const struct timer *timer = timer_queue_first(&t->queue); timer; timer = timer_queue_next(timer))
            s.nr_queued++;
        spinlock_unlock_irqrestore(&t->lock, flags);
    }
    return s;
}

/* The first that fires behind what queued says was the last, of this queue. */
static bool look_behind(struct cpu_timers *t, struct queued_timer *queued)
{
    uint64_t flags = spinlock_lock_irqsave(&t->lock);
    const struct timer *timer = timer_queue_first(&t->queue);
    unsigned nr_equal = 0;

    while (timer && (timer->deadline_ns < queued->deadline_ns ||
                     (timer->deadline_ns == queued->deadline_ns && nr_equal++ < queued->nr_equal)))
        timer = timer_queue_next(timer);
    if (timer)
        *queued = (struct queued_timer){
            .deadline_ns = timer->deadline_ns,
            .function = timer->function,
            .cpu = t->percpu->cpu_number,
            .nr_equal = timer->deadline_ns == queued->deadline_ns ? queued->nr_equal + 1 : 1,
        };
    spinlock_unlock_irqrestore(&t->lock, flags);
    return timer != NULL;
}

bool timer_queued_next(struct queued_timer *queued)
{
    bool is_reached = queued->nr_equal == 0;

    for (struct cpu_timers *t = first_cpu(); t; t = t->next) {
        if (!is_reached && t->percpu->cpu_number != queued->cpu)
            continue;
        if (look_behind(t, queued))
            return true;
        is_reached = true;
        *queued = (struct queued_timer){0};
    }
    return false;
}
