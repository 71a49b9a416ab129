/* The switch from one thread to the next, and the moments at which it may come without being asked for. */
#include "cpu_queue.h"

#include <base/assert.h>
#include <cpu/tsc.h>
#include <sched/sched.h>
#include <smp/ipi.h>

#include "spread.h"
#include "switch.h"

static PER_CPU struct cpu_queue cpu_queue;

struct cpu_queue *this_cpu_queue(void)
{
    return this_cpu_pointer(cpu_queue);
}

struct cpu_queue *cpu_queue_of(uint32_t cpu)
{
    return percpu_of(cpu, cpu_queue);
}

uint64_t sched_now_ns(void)
{
    return tsc_now_ns();
}

/* The other half of a switch, on the stack of the thread that goes on or begins: T2. What is left of `previous` may be
 * queued, and run elsewhere, as soon as the lock is free. */
static void finish_switch(struct thread *previous)
{
    struct cpu_queue *queue = this_cpu_queue(); /* not the one of when this thread was switched from */
    uint8_t leaves = previous->leaves;
    uint64_t slice_end;

    if (UNLIKELY(leaves == THREAD_MOVES))
        previous->leaves = THREAD_STAYS;
    slice_end = run_queue_slice_end(&queue->queue);
    spinlock_unlock_irq_off(&queue->lock);
    if (UNLIKELY(slice_end < queue->slice_timer_ns))
        slice_arm(queue, slice_end);
    if (UNLIKELY(leaves == THREAD_MOVES))
        thread_arrive(previous, ARRIVAL_MIGRATED);
    else if (UNLIKELY(leaves == THREAD_ENDS))
        thread_bury(previous);
}

void thread_start(struct thread *thread, struct thread *previous)
{
    finish_switch(previous);
    irq_enable();
    thread_exit(thread->function(thread->argument));
}

static void note_idle(struct cpu_queue *queue, const struct thread *previous, const struct thread *next, uint64_t now)
{
    if (next == queue->idle) {
        queue->idle_since = now;
    } else if (previous == queue->idle) {
        spread_note_busy(queue);
        queue->idle_ns += now - queue->idle_since;
        queue->idle_since = 0;
    }
}

/* Whoever may not stay here goes as if it waited, and is put elsewhere by finish_switch; who waits anyway is, when it
 * is woken. */
static enum run_queue_departure leave(struct thread *previous, enum run_queue_departure departure)
{
    if (departure == WAITS && previous->leaves == THREAD_MOVES)
        previous->leaves = THREAD_STAYS;
    return WAITS;
}

/* [l] on entry, not on exit */
static void schedule_locked(struct cpu_queue *queue, enum run_queue_departure departure)
{
    struct thread *previous = thread_current(), *next;
    struct sched_entity *entity;
    uint64_t now = sched_now_ns();

    ASSERT(preempt_depth() == 0 && !queue->lock.held_below);
    preempt_request_done();
    if (departure == WAITS)
        previous->wait_since = now;
    if (UNLIKELY(previous->leaves != THREAD_STAYS))
        departure = leave(previous, departure);
    entity = run_queue_next(&queue->queue, now, departure);
    if (UNLIKELY(entity == NULL) && spread_steal(queue, now))
        entity = run_queue_next(&queue->queue, now, STAYS);
    next = LIKELY(entity != NULL) ? thread_of_entity(entity) : queue->idle;
    if (next != previous) {
        queue->nr_switches++;
        next->nr_switches++;
        note_idle(queue, previous, next, now);
        lockdep_switch(&next->lockdep);
        previous = thread_switch(previous, next);
    }
    finish_switch(previous);
}

void schedule(enum run_queue_departure departure)
{
    struct cpu_queue *queue = this_cpu_queue();

    spinlock_lock_irq_off(&queue->lock);
    schedule_locked(queue, departure);
}

void schedule_if_waiting(void)
{
    struct cpu_queue *queue = this_cpu_queue();

    spinlock_lock_irq_off(&queue->lock);
    if (__atomic_load_n(&thread_current()->wait_state, __ATOMIC_RELAXED) == THREAD_HAS_BEGUN_WAIT)
        schedule_locked(queue, WAITS);
    else
        spinlock_unlock_irq_off(&queue->lock); /* woken meanwhile: T3 */
}

void schedule_for_ever(void)
{
    struct cpu_queue *queue = this_cpu_queue();

    spinlock_lock_irq_off(&queue->lock);
    thread_current()->leaves = THREAD_ENDS;
    schedule_locked(queue, WAITS);
    __builtin_unreachable();
}

void thread_yield(void)
{
    struct cpu_queue *queue;

    assert_may_sleep();
    irq_disable();
    queue = this_cpu_queue();
    if (run_queue_has_waiting(&queue->queue) || preempt_is_requested())
        schedule(YIELDS);
    irq_enable();
}

/* Preemption. */

static bool can_switch_here(void)
{
    return thread_current() && this_cpu_read(percpu.nmi_depth) == 0 && this_cpu_read(percpu.in_report) == 0;
}

void sched_interrupt_exit(void)
{
    while (this_cpu_read(percpu.preempt_count) == 0 && can_switch_here())
        schedule(STAYS);
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

void preempt_check(void)
{
    if (UNLIKELY(this_cpu_read(percpu.preempt_count) == 0))
        preempt_reschedule_();
}
