/* Making a thread runnable: which CPU's queue it goes to, and what that CPU is told. */
#include "cpu_queue.h"

#include <cpu/interrupts.h>
#include <smp/ipi.h>

struct cpu_queue *thread_queue_lock(const struct thread *thread)
{
    for (;;) {
        uint32_t cpu = __atomic_load_n(&thread->cpu, __ATOMIC_RELAXED);
        struct cpu_queue *queue = cpu_queue_of(cpu);

        spinlock_lock_irq_off(&queue->lock);
        if (LIKELY(__atomic_load_n(&thread->cpu, __ATOMIC_RELAXED) == cpu)) /* T1 */
            return queue;
        spinlock_unlock_irq_off(&queue->lock);
    }
}

void cpu_queue_tell(struct cpu_queue *queue, enum run_queue_effect effect)
{
    uint64_t slice_end;

    if (effect == EFFECT_NONE)
        return;
    if (queue != this_cpu_queue()) {
        ipi_reschedule(queue->queue.cpu);
        return;
    }
    if (effect == EFFECT_PREEMPT) {
        preempt_request();
        return;
    }
    spinlock_lock_irq_off(&queue->lock);
    slice_end = run_queue_slice_end(&queue->queue);
    spinlock_unlock_irq_off(&queue->lock);
    if (slice_end < queue->slice_timer_ns)
        slice_arm(queue, slice_end);
}

static bool may_use(const struct thread *thread, uint32_t cpu)
{
    return cpu_mask_has(&thread->affinity, cpu) && __atomic_load_n(&cpu_queue_of(cpu)->is_running, __ATOMIC_ACQUIRE);
}

/* Where the thread goes, which is asked for under the lock of the queue it is at: there, where it may be. */
static uint32_t choose_cpu(const struct thread *thread)
{
    uint32_t cpu = thread->cpu;

    if (may_use(thread, cpu))
        return cpu;
    for (cpu = 0; cpu < percpu_nr_cpus(); cpu++)
        if (may_use(thread, cpu))
            return cpu;
    return thread->cpu; /* no CPU of its set runs any more */
}

/* Moving on is done under the lock of the queue that is left; the next round looks again under the new one's (T4). */
void thread_arrive(struct thread *thread, enum run_queue_arrival arrival)
{
    for (;;) {
        struct cpu_queue *queue = thread_queue_lock(thread);
        enum run_queue_effect effect;
        uint32_t cpu = choose_cpu(thread);

        if (cpu == queue->queue.cpu) {
            effect = run_queue_add(&queue->queue, &thread->entity, sched_now_ns(), arrival);
            spinlock_unlock_irq_off(&queue->lock);
            cpu_queue_tell(queue, effect);
            return;
        }
        __atomic_store_n(&thread->cpu, cpu, __ATOMIC_RELAXED);
        spinlock_unlock_irq_off(&queue->lock);
    }
}
