#include <dev/work.h>

#include <base/assert.h>
#include <cpu/interrupts.h>
#include <debug/idle.h>
#include <irq/deferred.h>
#include <sync/spinlock.h>
#include <time/timer.h>

static struct spinlock lock = SPINLOCK_INITIALIZER("work");
static struct list queue = LIST_INITIALIZER(queue);
static bool is_busy = true; /* [l] boot, or a piece of work */
static bool is_waiting;     /* [a] something is queued, and nothing is busy */

static void update_locked(void)
{
    __atomic_store_n(&is_waiting, !is_busy && !list_is_empty(&queue), __ATOMIC_RELAXED);
}

void work_queue(struct work *work)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);

    if (!work->is_queued) {
        work->is_queued = true;
        list_add_last(&queue, &work->link);
        update_locked();
    }
    spinlock_unlock_irqrestore(&lock, flags);
}

void work_cancel(struct work *work)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);

    ASSERT(is_busy);
    if (work->is_queued) {
        work->is_queued = false;
        list_remove(&work->link);
        update_locked();
    }
    spinlock_unlock_irqrestore(&lock, flags);
}

void work_start(void)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);

    is_busy = false;
    update_locked();
    spinlock_unlock_irqrestore(&lock, flags);
}

/* The next piece, with is_busy set; NULL when there is none or somebody else is at it. */
static struct work *begin(void)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);
    struct list *node = is_busy ? NULL : list_first(&queue);
    struct work *work = node ? list_entry(node, struct work, link) : NULL;

    if (work) {
        list_remove(node);
        work->is_queued = false;
        is_busy = true;
        update_locked();
    }
    spinlock_unlock_irqrestore(&lock, flags);
    return work;
}

void work_run(void)
{
    struct work *work;

    if (!work_can_run())
        return;
    ASSERT(irqs_are_enabled());
    while ((work = begin()) != NULL) {
        work->run(work); /* it may be gone afterwards */
        work_start();
    }
}

IDLE_WORK(work, work_run);

bool work_can_run(void)
{
    return __atomic_load_n(&is_waiting, __ATOMIC_RELAXED); /* a hint: begin looks under the lock */
}

void work_wait(bool (*is_done)(const void *context), const void *context)
{
    if (UNLIKELY(work_can_run()))
        work_run();
    irq_disable(); /* or what is waited for could come between the look and the halt */
    if (!timer_will_interrupt()) {
        timer_poll();   /* a time-out of what is waited for */
        deferred_run(); /* no interrupt need come for it */
    } else if (!is_done(context) && !work_can_run()) {
        cpu_halt();
    }
    irq_enable();
}
