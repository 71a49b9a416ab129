#include <sync/semaphore.h>

#include <base/assert.h>
#include <base/errno.h>

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

/* Queued and announced. */
static int sleep_until_released(struct semaphore *semaphore, struct waiter *waiter, enum thread_wait reason,
                                uint64_t deadline_ns)
{
    do {
        int error = thread_wait_until(deadline_ns);

        if (LIKELY(waiter_state(waiter) == WAITER_RELEASED))
            return 0;
        if (error)
            return withdraw(semaphore, waiter);
        thread_wait_begin(reason, semaphore);
    } while (is_queued(semaphore, waiter)); /* woken for nothing; else a moment before it is released */
    thread_wait_end();
    waiter_await_release(waiter);
    return 0;
}

int semaphore_wait_for(struct semaphore *semaphore, enum thread_wait reason, uint64_t deadline_ns)
{
    struct waiter waiter;
    uint64_t flags;

    assert_may_sleep();
    flags = spinlock_lock_irqsave(&semaphore->lock);
    if (take_permit(semaphore)) {
        spinlock_unlock_irqrestore(&semaphore->lock, flags);
        return 0;
    }
    waiter.thread = thread_current();
    waiter.state = WAITER_QUEUED;
    list_add_last(&semaphore->waiters, &waiter.link);
    thread_wait_begin(reason, semaphore);
    spinlock_unlock_irqrestore(&semaphore->lock, flags);
    return sleep_until_released(semaphore, &waiter, reason, deadline_ns);
}

int semaphore_wait_until(struct semaphore *semaphore, uint64_t deadline_ns)
{
    return semaphore_wait_for(semaphore, WAIT_SEMAPHORE, deadline_ns);
}

void semaphore_wait(struct semaphore *semaphore)
{
    (void)!semaphore_wait_for(semaphore, WAIT_SEMAPHORE, UINT64_MAX);
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

void semaphore_post(struct semaphore *semaphore)
{
    uint64_t flags = spinlock_lock_irqsave(&semaphore->lock);
    struct list *first = list_first(&semaphore->waiters);
    struct waiter *waiter;

    if (!first) {
        add_permit(semaphore);
        spinlock_unlock_irqrestore(&semaphore->lock, flags);
        return;
    }
    waiter = list_entry(first, struct waiter, link);
    list_remove(first);
    waiter_take(waiter);
    spinlock_unlock_irqrestore(&semaphore->lock, flags);
    waiter_release(waiter);
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
