#include <sync/semaphore.h>

#include <base/assert.h>
#include <base/errno.h>
#include <cpu/interrupts.h>
#include <sched/thread_locks.h>

#include "semaphore_internal.h"

void semaphore_init(struct semaphore *semaphore, uint32_t nr_permits, const char *name)
{
    *semaphore = (struct semaphore)SEMAPHORE_INITIALIZER(*semaphore, nr_permits, name);
}

/* [l] */
static bool take_permit(struct semaphore *semaphore)
{
    if (semaphore->permits == 0)
        return false;
    if (semaphore->permits != SEMAPHORE_ENDLESS)
        semaphore->permits--;
    return true;
}

static bool is_queued(struct semaphore *semaphore, const struct waiter *waiter)
{
    uint64_t flags = spinlock_lock_irqsave(&semaphore->lock);
    bool is_in = waiter_state(waiter) == WAITER_QUEUED;

    spinlock_unlock_irqrestore(&semaphore->lock, flags);
    return is_in;
}

/* Its time is over: -ETIMEDOUT, or 0 when a permit was handed to it all the same. */
static int withdraw(struct semaphore *semaphore, struct waiter *waiter)
{
    uint64_t flags = spinlock_lock_irqsave(&semaphore->lock);
    bool is_in = waiter_state(waiter) == WAITER_QUEUED;

    if (is_in)
        list_remove(&waiter->link);
    spinlock_unlock_irqrestore(&semaphore->lock, flags);
    if (is_in)
        return -ETIMEDOUT;
    waiter_await_release(waiter);
    return 0;
}

/* Woken, or its time is over, and it has not been released. */
static NOINLINE int finish_wait(struct semaphore *semaphore, struct waiter *waiter, uint64_t deadline_ns, int error)
{
    while (!error) {
        thread_wait_begin(semaphore->reason, semaphore);
        if (!is_queued(semaphore, waiter)) { /* a moment before it is released */
            thread_wait_end();
            waiter_await_release(waiter);
            return 0;
        }
        error = thread_wait_until(deadline_ns);
        if (waiter_state(waiter) == WAITER_RELEASED)
            return 0;
    }
    return withdraw(semaphore, waiter);
}

/* [l] Announced before it can be released. */
static ALWAYS_INLINE void queue_up(struct semaphore *semaphore)
{
    struct thread *thread = thread_current();
    struct waiter *waiter = &thread_locks(thread)->waiter;

    waiter->thread = thread;
    waiter->state = WAITER_QUEUED;
    list_add_last(&semaphore->waiters, &waiter->link);
    thread_wait_begin(semaphore->reason, semaphore);
}

/* Turns interrupts off, which are on, and takes the lock. */
#define lock_to_wait(semaphore)                    \
    do {                                           \
        uint64_t flags_ = irq_save();              \
        assert_may_sleep_irq_saved(flags_);        \
        spinlock_lock_irq_off(&(semaphore)->lock); \
    } while (0)

static ALWAYS_INLINE void unlock_with_permit(struct semaphore *semaphore)
{
    spinlock_unlock_irq_off(&semaphore->lock);
    irq_enable();
    schedule_point();
}

void semaphore_wait(struct semaphore *semaphore)
{
    struct waiter *waiter;

    lock_to_wait(semaphore);
    if (take_permit(semaphore)) {
        unlock_with_permit(semaphore);
        return;
    }
    queue_up(semaphore);
    spinlock_unlock_irq_off(&semaphore->lock);
    thread_wait_irq_off();
    irq_enable();
    waiter = &thread_locks(thread_current())->waiter;
    if (UNLIKELY(waiter_state(waiter) != WAITER_RELEASED))
        (void)finish_wait(semaphore, waiter, UINT64_MAX, 0);
    schedule_point();
}

int semaphore_wait_until(struct semaphore *semaphore, uint64_t deadline_ns)
{
    struct waiter *waiter = &thread_locks(thread_current())->waiter;
    int error;

    lock_to_wait(semaphore);
    if (take_permit(semaphore)) {
        unlock_with_permit(semaphore);
        return 0;
    }
    queue_up(semaphore);
    spinlock_unlock_irq_off(&semaphore->lock);
    irq_enable();
    error = thread_wait_until(deadline_ns);
    if (LIKELY(waiter_state(waiter) == WAITER_RELEASED))
        return 0;
    return finish_wait(semaphore, waiter, deadline_ns, error);
}

bool semaphore_try_wait(struct semaphore *semaphore)
{
    uint64_t flags = spinlock_lock_irqsave(&semaphore->lock);
    bool is_taken = take_permit(semaphore);

    spinlock_unlock_irqrestore(&semaphore->lock, flags);
    return is_taken;
}

/* [l] */
static void add_permit(struct semaphore *semaphore)
{
    if (semaphore->permits == SEMAPHORE_ENDLESS)
        return;
    ASSERT(semaphore->permits < SEMAPHORE_PERMITS_MAX);
    semaphore->permits++;
}

/* Interrupts are off from where it was taken out: nobody comes in between (sync/waiter.h, 2). */
static ALWAYS_INLINE void wake_and_release(struct waiter *waiter)
{
    if (UNLIKELY(!thread_try_hand_over_irq_off(waiter->thread)))
        thread_wake_long_irq_off(waiter->thread);
    __atomic_store_n(&waiter->state, WAITER_RELEASED, __ATOMIC_RELEASE); /* pairs with waiter_state */
}

void semaphore_post(struct semaphore *semaphore)
{
    uint64_t flags = spinlock_lock_irqsave(&semaphore->lock);
    struct waiter *waiter;

    if (list_is_empty(&semaphore->waiters)) {
        add_permit(semaphore);
        spinlock_unlock_irqrestore(&semaphore->lock, flags);
        return;
    }
    waiter = list_entry(list_remove_first(&semaphore->waiters), struct waiter, link);
    __atomic_store_n(&waiter->state, WAITER_TAKEN, __ATOMIC_RELAXED);
    spinlock_unlock_irq_off(&semaphore->lock);
    wake_and_release(waiter);
    irq_restore(flags);
    schedule_point();
    preempt_check();
}

/* All are taken out at once: when the last has been released the semaphore may be gone. */
void semaphore_post_endless(struct semaphore *semaphore)
{
    struct list taken = LIST_INITIALIZER(taken), *first;
    uint64_t flags = spinlock_lock_irqsave(&semaphore->lock);

    semaphore->permits = SEMAPHORE_ENDLESS;
    while ((first = list_first(&semaphore->waiters)) != NULL) {
        list_remove(first);
        list_add_last(&taken, first);
        waiter_take(list_entry(first, struct waiter, link));
    }
    spinlock_unlock_irqrestore(&semaphore->lock, flags);
    while ((first = list_first(&taken)) != NULL) {
        list_remove(first);
        waiter_release(list_entry(first, struct waiter, link));
    }
}

uint32_t semaphore_permits(const struct semaphore *semaphore)
{
    return READ_ONCE(semaphore->permits);
}
