/* Devices that do not answer. A queue with something in flight is watched: once BLK_WATCH_NS have passed without a
 * completion, the device gets a last chance, and then is given up. A queue that is idle has no timer set, or one that
 * finds it idle and stays away.
 *
 * The last chance is waited for awake: where time is counted in instructions (QEMU's -icount with sleep=off), a halted
 * CPU goes to its next timer in no time at all, while the disk behind the device works in time of its own. */
#include "blk.h"

#include <cpu/interrupts.h>
#include <debug/log.h>
#include <time/clock.h>

#define LAST_CHANCE_NS NS_PER_S

void blk_watch_start_locked(struct blk_queue *queue)
{
    queue->is_watched = true;
    queue->nr_done_watched = queue->nr_done;
    queue->watch_ends_ns = clock_now_ns() + BLK_WATCH_NS;
    if (!queue->blk->is_polled)
        timer_set(&queue->watch, queue->watch_ends_ns);
}

/* False for a queue that is silent: its watch has ended, chains are in flight, and none came back. */
static bool renew(struct blk_queue *queue)
{
    uint64_t flags = spinlock_lock_irqsave(&queue->lock);
    bool is_silent = false;

    if (queue->is_watched && clock_now_ns() >= queue->watch_ends_ns) {
        if (queue->is_stopped || queue->queue.ring.nr_in_flight == 0)
            queue->is_watched = false;
        else if (queue->nr_done != queue->nr_done_watched)
            blk_watch_start_locked(queue);
        else
            is_silent = true;
    }
    spinlock_unlock_irqrestore(&queue->lock, flags);
    return !is_silent;
}

void blk_watch_poll(struct blk_queue *queue)
{
    if (!renew(queue))
        blk_work_add(queue->blk, BLK_WORK_SILENT);
}

static void watch_ended(struct timer *timer)
{
    blk_watch_poll(CONTAINER_OF(timer, struct blk_queue, watch));
}

void blk_watch_init(struct blk_queue *queue)
{
    timer_init(&queue->watch, watch_ended);
}

static bool all_answer(struct blk *blk)
{
    bool do_answer = true;

    for (unsigned i = 0; i < blk->nr_queues; i++) {
        blk_reap(&blk->queues[i]);
        do_answer = renew(&blk->queues[i]) && do_answer;
    }
    return do_answer;
}

bool blk_watch_answers(struct blk *blk)
{
    uint64_t end_ns = clock_now_ns() + LAST_CHANCE_NS;

    if (all_answer(blk)) {
        log_warn("%s: virtio %s: was done, and no interrupt has come", blk->block.name, blk->device->name);
        return true;
    }
    while (!all_answer(blk)) {
        if (clock_now_ns() >= end_ns)
            return false;
        cpu_relax();
    }
    return true;
}
