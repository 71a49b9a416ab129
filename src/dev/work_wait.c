/* Waiting for a condition that nobody announces: whatever happens, it is looked at again (irq/activity.h). */
#include <cpu/interrupts.h>
#include <dev/work.h>
#include <irq/activity.h>
#include <irq/deferred.h>
#include <lib/list.h>
#include <sched/thread.h>
#include <sync/spinlock.h>
#include <time/timer.h>

/* On the stack of who waits, who takes it out under the lock: so the thread is there while it is in the list. */
struct waiting {
    struct list link; /* [l] */
    struct thread *thread;
};

static struct spinlock lock = SPINLOCK_INITIALIZER("waiting for anything");
static struct list all = LIST_INITIALIZER(all); /* [l] */

void work_wake_waiting(void)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);
    struct waiting *waiting;

    list_for_each_entry (waiting, &all, link)
        (void)thread_wake(waiting->thread);
    spinlock_unlock_irqrestore(&lock, flags);
}

static void begin(struct waiting *waiting)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);

    list_add_last(&all, &waiting->link);
    spinlock_unlock_irqrestore(&lock, flags);
    __atomic_fetch_add(&activity_nr_waiting, 1, __ATOMIC_SEQ_CST); /* pairs with activity_note */
}

static void end(struct waiting *waiting)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);

    list_remove(&waiting->link);
    spinlock_unlock_irqrestore(&lock, flags);
    __atomic_fetch_sub(&activity_nr_waiting, 1, __ATOMIC_RELAXED);
}

/* Before there are threads: whoever waits does the work, and halts. */
static void wait_alone(bool (*is_done)(const void *context), const void *context)
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

void work_wait(bool (*is_done)(const void *context), const void *context)
{
    struct waiting waiting = {.thread = thread_current()};

    if (!waiting.thread) {
        wait_alone(is_done, context);
        return;
    }
    begin(&waiting);
    thread_wait_begin(WAIT_EVENT, NULL);
    if (is_done(context))
        thread_wait_end();
    else
        (void)thread_wait_until(UINT64_MAX);
    end(&waiting);
}
