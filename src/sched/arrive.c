/* Making a thread runnable: which CPU's queue it goes to, and what that CPU is told. */
#include "cpu_queue.h"

#include "spread.h"

struct cpu_queue *thread_queue_lock_anywhere(const struct thread *thread)
{
    for (;;) {
        uint32_t cpu = __atomic_load_n(&thread->cpu, __ATOMIC_RELAXED);
        struct cpu_queue *queue = cpu_queue_of(cpu);

        spinlock_lock_irq_off(&queue->lock);
        if (LIKELY(__atomic_load_n(&thread->cpu, __ATOMIC_RELAXED) == cpu))
            return queue;
        spinlock_unlock_irq_off(&queue->lock);
    }
}

void cpu_queue_tell(struct cpu_queue *queue, enum run_queue_effect effect)
{
    if (effect <= EFFECT_BEHIND)
        return;
    spinlock_lock_irq_off(&queue->lock);
    cpu_queue_unlock_and_tell(queue, effect);
}

static bool may_use(const struct thread *thread, const struct cpu_queue *queue)
{
    return cpu_mask_has(&thread->affinity, queue->queue.cpu) && __atomic_load_n(&queue->is_running, __ATOMIC_ACQUIRE);
}

/* Where the thread goes is chosen under the lock of the queue it is at. Moving on is done under that lock too, and
 * under the lock of the next one is looked once more whether it may be there (T4). */
void thread_arrive(struct thread *thread, enum run_queue_arrival arrival)
{
    struct cpu_queue *queue = thread_queue_lock(thread);
    uint32_t cpu = spread_choose(queue, thread);
    enum run_queue_effect effect;

    while (cpu != queue->queue.cpu) {
        __atomic_store_n(&thread->cpu, cpu, __ATOMIC_RELAXED);
        spinlock_unlock_irq_off(&queue->lock);
        queue = thread_queue_lock(thread);
        cpu = may_use(thread, queue) ? queue->queue.cpu : spread_choose(queue, thread);
    }
    spread_note_work(queue);
    effect = run_queue_add(&queue->queue, &thread->entity, sched_now_ns(), arrival);
    cpu_queue_unlock_and_tell(queue, effect);
    if (UNLIKELY(effect == EFFECT_BEHIND))
        spread_push(queue);
}
