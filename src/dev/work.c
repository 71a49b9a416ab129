/* The queue of work and the thread that does it. */
#include <dev/work.h>

#include <base/assert.h>
#include <base/errno.h>
#include <cpu/interrupts.h>
#include <irq/activity.h>
#include <sched/thread.h>
#include <sync/lockdep.h>
#include <sync/spinlock.h>

static struct spinlock lock = SPINLOCK_INITIALIZER("work");
static struct list queue = LIST_INITIALIZER(queue); /* [l] */
static bool is_busy = true;                         /* [l] boot, or a piece of work */
static bool is_waiting;                             /* [a] something is queued, and nothing is busy */
static bool has_started;                            /* [a] boot is done */
static struct thread *the_worker;                   /* [I] after work_init; NULL: who calls work_run does it */

/* [l] */
static void update_locked(void)
{
    __atomic_store_n(&is_waiting, !is_busy && !list_is_empty(&queue), __ATOMIC_RELAXED);
}

static void wake_worker(void)
{
    if (the_worker)
        (void)thread_wake(the_worker);
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
    wake_worker();
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

static void end(void)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);

    is_busy = false;
    update_locked();
    spinlock_unlock_irqrestore(&lock, flags);
    activity_note();
}

void work_start(void)
{
    __atomic_store_n(&has_started, true, __ATOMIC_RELAXED);
    end();
    wake_worker();
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

/* All pieces are one to the lock checker: one runs at a time, and who waits, waits for all. */
static void run_queued(void)
{
    struct lockdep_map map;
    struct work *work;

    while ((work = begin()) != NULL) {
        map = (struct lockdep_map){};
        lockdep_function_enter(&map, "work", (uintptr_t)run_queued, LOCKDEP_SLEEPING);
        work->run(work); /* it may be gone afterwards */
        lockdep_function_exit(&map);
        end();
    }
}

static NORETURN int be_worker(void *argument)
{
    (void)argument;
    for (;;) {
        run_queued();
        thread_wait_begin(WAIT_WORK, NULL);
        if (work_can_run())
            thread_wait_end();
        else
            (void)thread_wait_until(UINT64_MAX);
    }
}

int work_init(void)
{
    activity_set_waker(work_wake_waiting);
    return thread_create(&the_worker, &(struct thread_options){.name = "work"}, be_worker, NULL);
}

static bool is_all_done(const void *context)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);
    bool is_done = !is_busy && list_is_empty(&queue);

    (void)context;
    spinlock_unlock_irqrestore(&lock, flags);
    return is_done;
}

void work_run(void)
{
    lockdep_wait_for_function("work", (uintptr_t)run_queued);
    if (!the_worker) {
        run_queued();
        return;
    }
    ASSERT(thread_current() != the_worker); /* it would wait for itself */
    while (READ_ONCE(has_started) && !is_all_done(NULL))
        work_wait(is_all_done, NULL);
}

bool work_can_run(void)
{
    return __atomic_load_n(&is_waiting, __ATOMIC_RELAXED); /* a hint: begin looks under the lock */
}
