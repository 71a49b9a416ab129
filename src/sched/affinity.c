/* The CPUs a thread may run on. */
#include <base/errno.h>
#include <cpu/interrupts.h>

#include "cpu_queue.h"
#include "hand_over.h"
#include "spread.h"
#include "thread_counters.h"

/* [q] What has to be done about where the thread is. A sleeping one goes elsewhere when it is woken, one in transit is
 * looked at by who has it (T4). */
enum relocation { RELOCATE_NOT, RELOCATE_QUEUED, RELOCATE_WAITING_FIFO, RELOCATE_RUNNING };

static enum relocation write_affinity(struct cpu_queue *queue, struct thread *thread, const struct cpu_mask *affinity)
{
    bool may_stay = cpu_mask_has(affinity, queue->queue.cpu);

    thread->affinity = *affinity;
    if (!may_stay)
        hand_forget(&thread->entity);
    if (thread->entity.state == ENTITY_RUNNING && thread->leaves != THREAD_ENDS) {
        thread->leaves = may_stay ? THREAD_STAYS : THREAD_MOVES;
        return may_stay ? RELOCATE_NOT : RELOCATE_RUNNING;
    }
    if (thread->entity.state != ENTITY_QUEUED)
        return RELOCATE_NOT;
    if (may_stay)
        return thread->entity.class == SCHED_FIFO ? RELOCATE_WAITING_FIFO : RELOCATE_NOT;
    run_queue_remove(&queue->queue, &thread->entity, sched_now_ns());
    thread_begin_transit(thread);
    return RELOCATE_QUEUED;
}

int thread_set_affinity(struct thread *thread, const struct cpu_mask *affinity)
{
    struct cpu_mask any;
    struct cpu_queue *queue;
    enum relocation relocation;
    uint64_t flags;

    cpu_mask_set_first(&any, CPU_MAX);
    if (!affinity)
        affinity = &any;
    if (thread_is_idle(thread) || !sched_any_cpu_of(affinity))
        return -EINVAL;
    flags = irq_save();
    queue = thread_queue_lock(thread);
    relocation = write_affinity(queue, thread, affinity);
    spinlock_unlock_irq_off(&queue->lock);
    if (relocation == RELOCATE_QUEUED)
        thread_arrive(thread, ARRIVAL_MIGRATED);
    else if (relocation == RELOCATE_WAITING_FIFO)
        spread_push(queue);
    else if (relocation == RELOCATE_RUNNING)
        cpu_queue_tell(queue, EFFECT_PREEMPT); /* its CPU's next switch lets it go: finish_switch */
    irq_restore(flags);
    preempt_check();
    return 0;
}
