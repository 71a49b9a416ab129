/* The switch from one thread to the next, and the moments at which it may come without being asked for. */
#include "cpu_queue.h"

#include <base/assert.h>
#include <base/counter.h>
#include <cpu/fpu.h>
#include <sched/sched.h>
#include <smp/ipi.h>

#include "hand_over.h"
#include "spread.h"
#include "switch.h"
#include "watch_calls.h"

PER_CPU struct cpu_queue cpu_queue; /* [its own lock] */

/* As spinlock_lock_irq_off, for the only lock that is held across a switch: no other one is when it is taken. */
static ALWAYS_INLINE void lock_queue(struct cpu_queue *queue)
{
    DEBUG_ASSERT(!this_cpu_read(percpu.held_locks));
    lockdep_acquire(&queue->lock.lockdep, queue->lock.name, 0);
    if (UNLIKELY(!spinlock_take_(&queue->lock)))
        spinlock_wait_(&queue->lock, __builtin_return_address(0));
    queue->lock.held_below = NULL;
    this_cpu_write(percpu.held_locks, &queue->lock);
    STORE_CODE_ADDRESS(queue->lock.acquired_at);
    lockdep_acquired(&queue->lock.lockdep);
}

static ALWAYS_INLINE void unlock_queue(struct cpu_queue *queue)
{
    lockdep_release(&queue->lock.lockdep);
    this_cpu_write(percpu.held_locks, NULL);
    if (UNLIKELY(!spinlock_give_(&queue->lock)))
        spinlock_grant_(&queue->lock);
}

static void see_off(struct thread *previous, enum thread_leaves leaves)
{
    if (leaves == THREAD_ENDS) {
        thread_bury(previous);
        return;
    }
    previous->leaves = THREAD_STAYS; /* in transit, and ours: T4 */
    thread_arrive(previous, ARRIVAL_MIGRATED);
}

/* FIFO threads that wait for this CPU, or may come to it. An interrupt has to come where one is for this CPU. */
static NOINLINE void push_after_switch(struct cpu_queue *queue)
{
    spread_push_all(queue);
    preempt_check();
}

/* Gives the lock back, and has the slice's end noticed where somebody waits for it. */
static NOINLINE void unlock_and_time_slice(struct cpu_queue *queue)
{
    uint64_t slice_end = run_queue_slice_end(&queue->queue);
    bool must_push = spread_take_push(queue);

    if (!READ_ONCE(spread_is_on_)) /* else whom to wake where is looked for each time */
        run_queue_expect_slice_end(&queue->queue, queue->slice_timer_ns);
    unlock_queue(queue);
    if (UNLIKELY(slice_end < queue->slice_timer_ns))
        slice_arm(queue, slice_end);
    if (UNLIKELY(must_push))
        push_after_switch(queue);
}

/* Who takes a key runs where nobody waits, and one CPU takes threads. */
static ALWAYS_INLINE void unlock_after_switch(struct cpu_queue *queue, enum run_queue_departure departure)
{
    if (LIKELY(queue->queue.takes_key != HAND_TAKES_NOBODY ||
               (departure == YIELDS && queue->slice_timer_ns != UINT64_MAX && !queue->queue.must_push)))
        unlock_queue(queue);
    else
        unlock_and_time_slice(queue);
}

static NOINLINE void finish_special_switch(struct cpu_queue *queue, struct thread *previous)
{
    enum thread_leaves leaves = previous->leaves;

    unlock_and_time_slice(queue);
    see_off(previous, leaves);
    preempt_check(); /* it may be this CPU's again, and go before who runs now: an interrupt comes for it */
}

/* The other half of a switch, on the stack of the thread that goes on or begins: T2. `previous` may be queued, and run
 * elsewhere, as soon as the lock is free. Where threads yield, or one was handed over, a timer that is set is early
 * enough. */
static ALWAYS_INLINE void finish_switch(struct thread *previous, enum run_queue_departure departure)
{
    struct cpu_queue *queue = this_cpu_pointer(cpu_queue); /* not the one of when this thread was switched from */

    if (UNLIKELY(previous->leaves != THREAD_STAYS))
        finish_special_switch(queue, previous);
    else
        unlock_after_switch(queue, departure);
}

void thread_start(struct thread *thread, struct thread *previous)
{
    if (UNLIKELY(thread->uses_fpu))
        fpu_restore(thread->fpu);
    finish_switch(previous, STAYS);
    irq_enable();
    thread_exit(thread->function(thread->argument));
}

static NOINLINE void begin_idle(struct cpu_queue *queue, uint64_t now)
{
    WRITE_ONCE(queue->idle_since, now);
}

static NOINLINE void end_idle(struct cpu_queue *queue, uint64_t now)
{
    spread_note_busy(queue);
    WRITE_ONCE(queue->idle_ns, queue->idle_ns + now - queue->idle_since);
    WRITE_ONCE(queue->idle_since, 0);
}

/* Whoever may not stay here goes as if it waited, and is put elsewhere by finish_switch; who waits anyway is, when it
 * is woken. */
static NOINLINE enum run_queue_departure leave(struct thread *previous, enum run_queue_departure departure)
{
    if (previous->uses_fpu)
        fpu_save(previous->fpu);
    if (previous->leaves == THREAD_STAYS)
        return departure;
    if (departure == WAITS && previous->leaves == THREAD_MOVES)
        previous->leaves = THREAD_STAYS;
    if (previous->leaves == THREAD_MOVES)
        thread_begin_transit(previous);
    return WAITS;
}

/* What a thread that the switch leaves asks of it besides: each kind has a copy of the switch, so that most threads pay
 * for neither. */
enum switch_kind { SWITCH_PLAIN, SWITCH_SPECIAL };

static ALWAYS_INLINE struct thread *switch_stacks(struct cpu_queue *queue, struct thread *previous, struct thread *next)
{
    counter_increment(&queue->nr_switches);
    counter_increment(&next->nr_switches);
    lockdep_switch(&next->lockdep);
    return thread_switch(previous, next);
}

/* Chooses who is next. */
static ALWAYS_INLINE struct thread *choose_next(struct cpu_queue *queue, struct thread *previous, uint64_t now,
                                                enum run_queue_departure departure, enum run_queue_departure leaving_by)
{
    struct sched_entity *entity = run_queue_next(&queue->queue, now, leaving_by);
    struct thread *next;

    if (UNLIKELY(entity == NULL) && spread_steal(queue, now))
        entity = run_queue_next(&queue->queue, now, STAYS);
    next = LIKELY(entity != NULL) ? thread_of_entity(entity) : queue->idle;
    if (UNLIKELY(next == previous))
        return next;
    if (UNLIKELY(!entity))
        begin_idle(queue, now);
    else if (departure == STAYS && previous == queue->idle) /* which neither waits nor yields */
        end_idle(queue, now);
    return next;
}

/* [l] on entry, not on exit. A special switch saves the FPU's registers of who goes and restores them when it is back;
 * who has never run gets them in thread_start. */
static ALWAYS_INLINE void switch_to_next(struct cpu_queue *queue, enum run_queue_departure departure,
                                         const enum switch_kind kind)
{
    enum run_queue_departure leaving_by = departure;
    struct thread *previous = thread_current(), *next;
    struct sched_entity *handed;
    uint64_t now = sched_now_ns();

    preempt_request_done();
    counter_increment(&queue->nr_looks);
    if (departure == WAITS)
        WRITE_ONCE(previous->wait_since, now);
    if (kind == SWITCH_SPECIAL)
        leaving_by = leave(previous, departure);
    handed = departure == WAITS ? queue->queue.handed : NULL;
    if (LIKELY(handed != NULL)) {
        run_queue_hand_over(&queue->queue, handed, now);
        if (kind == SWITCH_SPECIAL)
            hand_forget(&previous->entity); /* it may not wait at all: leave */
        previous = switch_stacks(queue, previous, thread_of_entity(handed));
    } else {
        next = choose_next(queue, previous, now, departure, leaving_by);
        if (kind == SWITCH_SPECIAL)
            hand_forget(&previous->entity);
        if (LIKELY(next != previous))
            previous = switch_stacks(queue, previous, next);
    }
    if (kind == SWITCH_SPECIAL && thread_current()->uses_fpu)
        fpu_restore(thread_current()->fpu);
    finish_switch(previous, departure);
}

static NOINLINE void switch_specially(struct cpu_queue *queue, enum run_queue_departure departure)
{
    switch_to_next(queue, departure, SWITCH_SPECIAL);
}

/* [l] on entry, not on exit */
static ALWAYS_INLINE void schedule_locked(struct cpu_queue *queue, enum run_queue_departure departure)
{
    if (UNLIKELY(thread_current()->leaves_or_uses_fpu != 0))
        switch_specially(queue, departure);
    else
        switch_to_next(queue, departure, SWITCH_PLAIN);
}

void thread_wait_irq_off(void)
{
    struct cpu_queue *queue = this_cpu_queue();

    DEBUG_ASSERT(!thread_is_idle(thread_current()));
    lock_queue(queue);
    if (__atomic_load_n(&thread_current()->waiting.state, __ATOMIC_RELAXED) == THREAD_HAS_BEGUN_WAIT)
        schedule_locked(queue, WAITS);
    else
        unlock_queue(queue); /* woken meanwhile: T3 */
    wait_end(thread_current());
}

void schedule_for_ever(void)
{
    struct cpu_queue *queue = this_cpu_queue();

    lock_queue(queue);
    thread_current()->leaves = THREAD_ENDS;
    schedule_locked(queue, WAITS);
    __builtin_unreachable();
}

void thread_yield(void)
{
    struct cpu_queue *queue;

    assert_may_sleep();
    irq_disable();
    queue = this_cpu_pointer(cpu_queue);
    if (run_queue_has_waiting(&queue->queue) || preempt_is_requested()) {
        lock_queue(queue);
        schedule_locked(queue, YIELDS);
    } else {
        cpu_relax(); /* who yields again and again waits for another CPU, which may share this one's core or host */
    }
    irq_enable();
}

/* Preemption. */

static bool can_switch_here(void)
{
    return thread_current() && this_cpu_read(percpu.nmi_depth) == 0 && this_cpu_read(percpu.in_report) == 0;
}

void sched_interrupt_exit(void)
{
    while (this_cpu_read(percpu.preempt_count) == 0 && can_switch_here()) {
        struct cpu_queue *queue = this_cpu_pointer(cpu_queue);

        if (UNLIKELY(thread_is_idle(thread_current())))
            watch_leaves_idle(queue);
        lock_queue(queue);
        schedule_locked(queue, STAYS);
    }
}

/* In an interrupt its way out does it. With interrupts off in a thread an interrupt has to come, once they are on. */
void preempt_reschedule_(void)
{
    if (this_cpu_read(percpu.interrupt_depth) > 0 || !can_switch_here())
        return;
    if (!irqs_are_enabled()) {
        ipi_reschedule(this_cpu_read(percpu.cpu_number));
        return;
    }
    irq_disable();
    sched_interrupt_exit();
    irq_enable();
}
