/* Spreading threads over the CPUs: placement.h with the CPUs there are, under the locks it asks for. */
#pragma once

#include "cpu_queue.h"

/* The CPU takes threads from here on. Context: on it, irq-off. */
void spread_add_cpu(struct cpu_queue *queue);

/* Whether the CPU has nothing to do, for those who look for one: said by itself, and taken back by whoever gives it
 * something. Context: any. */
void spread_note_idle(const struct cpu_queue *queue);
void spread_note_busy(const struct cpu_queue *queue);

/* Somebody is about to be added to the queue, whose lock is held: a CPU that runs a thread is known to be busy since it
 * switched to it. */
static ALWAYS_INLINE void spread_note_work(const struct cpu_queue *queue)
{
    if (UNLIKELY(queue->queue.running == NULL))
        spread_note_busy(queue);
}

extern bool spread_is_on_; /* [a] all CPUs are there; until then who may stay where it is, stays */
uint32_t spread_choose_among_(const struct cpu_queue *queue, const struct thread *thread);

/* Where a thread goes that is in transit at `queue`, whose lock is held: a CPU of its affinity that takes threads; that
 * of queue where there is none. */
static ALWAYS_INLINE uint32_t spread_choose(const struct cpu_queue *queue, const struct thread *thread)
{
    uint32_t here = queue->queue.cpu;

    if (LIKELY(cpu_mask_has(&thread->affinity, here)) && (queue->queue.running == NULL || !READ_ONCE(spread_is_on_)))
        return here;
    return spread_choose_among_(queue, thread);
}

/* This CPU, whose queue's lock is held, has nobody to run: takes somebody who waits elsewhere. True where its queue is
 * not empty any more. */
bool spread_steal(struct cpu_queue *queue, uint64_t now);

/* A FIFO thread waits in this queue (EFFECT_BEHIND), or may use other CPUs than before: it goes where somebody less
 * urgent runs. Context: irq-off, no queue's lock held; then preempt_check. */
void spread_push(struct cpu_queue *queue);

/* [l] Whether spread_push_all is due for this queue, once the lock is free. */
static ALWAYS_INLINE bool spread_take_push(struct cpu_queue *queue)
{
    bool must_push = queue->queue.must_push;

    queue->queue.must_push = false;
    return must_push;
}

/* The same for those that wait in this queue and, since its CPU may run somebody less urgent, in all others. */
void spread_push_all(struct cpu_queue *queue);

/* A slice has ended here, somebody waits, and the lock is held: hands one over to a CPU with less to do where that is
 * fair. Returns whose CPU is to be told `effect` once the lock is free, or NULL. */
struct cpu_queue *spread_balance(struct cpu_queue *queue, uint64_t now, enum run_queue_effect *effect);
