/* The short way from a thread that wakes another one and then waits, to that one: two steps, each a few instructions,
 * in place of run_queue_add and run_queue_next.
 *
 *     waker                               the queue
 *     run_queue_try_hand_over(woken)      handed := woken, which is QUEUED; its place is not worked out
 *     waits: run_queue_hand_over          handed -> running, placed beside the waker as it leaves
 *     anything else: run_queue_settle     handed -> the fair queue, by run_queue_add
 *
 * It is right, because what run_queue_add would find out is known:
 *  1. Of two fair entities of one weight, a woken one that is owed nothing (lag <= 0) gets a place at the running one's
 *     virtual time or behind it, and a whole slice: its deadline is not the earlier one, so it does not preempt.
 *  2. The end of the running one's slice interrupts its CPU already: nobody has to be told.
 *  3. Nobody else waits: as the running one leaves, the other one is the next.
 *
 * All of that is one comparison. A key is a CPU and a weight. Who leaves its queue to wait, fair and owed nothing,
 * notes the key, until it is woken or its policy changes; a queue has the key of its running entity while 2 and 3 hold.
 * Everything else that is done to a queue settles it first. Under the queue's lock, as run_queue.h. */
#pragma once

#include "fair.h"
#include "run_queue.h"

#define HAND_KEY_CPU_SHIFT 20 /* weights are smaller */

static ALWAYS_INLINE uint32_t hand_key(const struct run_queue *queue, const struct sched_entity *entity)
{
    return queue->cpu << HAND_KEY_CPU_SHIFT | entity->weight;
}

/* Written under the lock of the entity's queue; compared under that of any, of which it has the CPU only if it is the
 * same. */
static ALWAYS_INLINE void hand_set_key(struct sched_entity *entity, uint32_t key)
{
    WRITE_ONCE(entity->hand_key, key);
}

/* It is woken, may not be where it was any more, or has another policy. Not one that was handed over. */
static ALWAYS_INLINE void hand_forget(struct sched_entity *entity)
{
    hand_set_key(entity, HAND_NOBODY);
}

/* run_queue_next: it leaves to wait. */
static ALWAYS_INLINE void hand_note_leaving(const struct run_queue *queue, struct sched_entity *entity)
{
    hand_set_key(entity, entity->class == SCHED_FAIR && entity->lag <= 0 ? hand_key(queue, entity) : HAND_NOBODY);
}

/* After a switch, or a change of the slice's timer: whether the CPU is interrupted by slice_timer_ns (UINT64_MAX: not
 * at all) and that is early enough for 2. */
static inline void run_queue_expect_slice_end(struct run_queue *queue, uint64_t slice_timer_ns)
{
    const struct sched_entity *running = queue->running;

    if (running != NULL && running->class == SCHED_FAIR && !run_queue_has_waiting(queue) &&
        slice_timer_ns <= fair_slice_end(running))
        queue->takes_key = hand_key(queue, running);
}

/* A woken entity: true where there is nothing more to do. False: run_queue_add, where it is not in a queue. */
static ALWAYS_INLINE bool run_queue_try_hand_over(struct run_queue *queue, struct sched_entity *entity)
{
    if (UNLIKELY(READ_ONCE(entity->hand_key) != queue->takes_key))
        return false;
    DEBUG_ASSERT(entity->state == ENTITY_OUT && entity->queue == queue);
    queue->takes_key = HAND_TAKES_NOBODY;
    WRITE_ONCE(queue->handed, entity);
    entity->state = ENTITY_QUEUED;
    return true;
}

/* run_queue_next(WAITS) where `next` was handed over: it is the running one from here on. */
static ALWAYS_INLINE void run_queue_hand_over(struct run_queue *queue, struct sched_entity *next, uint64_t now)
{
    struct sched_entity *previous = queue->running;
    uint32_t key = next->hand_key;
    uint64_t vruntime;

    fair_charge(previous, now);
    vruntime = previous->vruntime;
    if (LIKELY(next->lag == 0)) {
        next->vruntime = vruntime;
        next->deadline = vruntime + next->virtual_slice;
        previous->lag = 0;
        hand_set_key(previous, key);
    } else {
        fair_place_woken_equal(next, previous);
        fair_leave_equal(previous, next);
        vruntime = next->vruntime;
        hand_note_leaving(queue, previous);
    }
    previous->state = ENTITY_OUT;
    queue->fair.zero = vruntime;
    WRITE_ONCE(queue->handed, NULL);
    queue->takes_key = key; /* a whole slice ends later than the one before it would have */
    queue->running = next;
    hand_forget(next);
    next->state = ENTITY_RUNNING;
    WRITE_ONCE(next->started_ns, now);
}
