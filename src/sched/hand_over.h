/* The short way from a thread that wakes another one and then waits, to that one: two steps, each a few instructions,
 * in place of run_queue_add and run_queue_next.
 *
 *     waker                               the queue
 *     run_queue_try_hand_over(woken)      HANDED_NOBODY -> handed: QUEUED, its place not yet worked out
 *     waits: run_queue_hand_over          handed -> running, placed beside the waker as it leaves
 *     anything else: run_queue_settle     handed -> the fair queue, by run_queue_add
 *
 * It is right, because what run_queue_add would find out is known:
 *  1. Of two fair entities of one weight, a woken one that is owed nothing (lag <= 0) gets a place at the running one's
 *     virtual time or behind it, and a whole slice: its deadline is not the earlier one, so it does not preempt.
 *  2. The end of the running one's slice interrupts its CPU already: nobody has to be told.
 *  3. Nobody else waits: as the running one leaves, the other one is the next.
 * Everything else that is done to the queue settles it first. Under the queue's lock, as run_queue.h. */
#pragma once

#include "fair.h"
#include "run_queue.h"

/* After a switch, or a change of the slice's timer: whether the CPU is interrupted by slice_timer_ns (UINT64_MAX: not
 * at all) and that is early enough for 2. */
static inline void run_queue_expect_slice_end(struct run_queue *queue, uint64_t slice_timer_ns)
{
    const struct sched_entity *running = queue->running;

    if (running != NULL && running->class == SCHED_FAIR && !run_queue_has_waiting(queue) &&
        slice_timer_ns <= fair_slice_end(running))
        queue->handed = HANDED_NOBODY;
}

/* A woken entity, whose queue this was: true where there is nothing more to do. False: run_queue_add. */
static ALWAYS_INLINE bool run_queue_try_hand_over(struct run_queue *queue, struct sched_entity *entity)
{
    if (UNLIKELY(queue->handed != HANDED_NOBODY || entity->fair_weight != queue->running->fair_weight ||
                 entity->lag > 0))
        return false;
    DEBUG_ASSERT(entity->state == ENTITY_OUT && entity->queue == queue);
    queue->handed = entity;
    entity->state = ENTITY_QUEUED;
    return true;
}

/* run_queue_next(WAITS) where somebody was handed over: that one is the running one from here on. */
static ALWAYS_INLINE struct sched_entity *run_queue_hand_over(struct run_queue *queue, uint64_t now)
{
    struct sched_entity *previous = queue->running, *next = queue->handed;

    fair_charge(previous, now);
    if (LIKELY(next->lag == 0)) {
        next->vruntime = previous->vruntime;
        fair_renew_slice(next);
        previous->lag = 0;
    } else {
        fair_place_woken_equal(next, previous);
        fair_leave_equal(previous, next);
    }
    previous->state = ENTITY_OUT;
    queue->fair.zero = next->vruntime;
    queue->handed = HANDED_NOBODY; /* a whole slice ends later than the one before it would have */
    queue->running = next;
    next->state = ENTITY_RUNNING;
    next->started_ns = now;
    return next;
}
