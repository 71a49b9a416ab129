/* The end of a slice. A CPU's timer is set only while somebody waits for the CPU, and left alone where it is due before
 * the slice's end: it then finds nothing to do and is set again. So a switch does not touch the event source, and a CPU
 * with one thread, or none, is left in peace. */
#include "cpu_queue.h"

#include <time/clock.h>

#include "spread.h"

static void slice_over(struct timer *timer)
{
    struct cpu_queue *queue = CONTAINER_OF(timer, struct cpu_queue, slice_timer);
    enum run_queue_effect effect = EFFECT_NONE;
    uint64_t now = sched_now_ns(), end;
    struct cpu_queue *other = NULL;
    bool is_over;

    spinlock_lock_irq_off(&queue->lock);
    is_over = run_queue_account(&queue->queue, now);
    if (is_over)
        other = spread_balance(queue, now, &effect);
    end = run_queue_slice_end(&queue->queue);
    spinlock_unlock_irq_off(&queue->lock);
    queue->slice_timer_ns = UINT64_MAX;
    if (other != NULL)
        cpu_queue_tell(other, effect);
    if (is_over)
        preempt_request();
    else if (end != UINT64_MAX)
        slice_arm(queue, end);
}

void slice_init(struct cpu_queue *queue)
{
    timer_init(&queue->slice_timer, slice_over);
    queue->slice_timer_ns = UINT64_MAX;
}

/* Run times are counted by another clock than timers are; a slice is short enough for the difference not to matter. */
void slice_arm(struct cpu_queue *queue, uint64_t slice_end_ns)
{
    uint64_t now = sched_now_ns(), left = slice_end_ns > now ? slice_end_ns - now : 0;

    queue->slice_timer_ns = slice_end_ns;
    timer_set(&queue->slice_timer, clock_now_ns() + left);
}

void slice_disarm(struct cpu_queue *queue)
{
    if (queue->slice_timer_ns == UINT64_MAX)
        return;
    queue->slice_timer_ns = UINT64_MAX;
    (void)timer_cancel(&queue->slice_timer);
}
