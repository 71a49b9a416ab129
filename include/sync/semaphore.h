/* Counted permits (POSIX's semaphore): post adds one, wait takes one and sleeps while there is none. Who waits is
 * served first come, first served: a permit that is posted while somebody waits goes to that one, never to a third who
 * asks in between.
 *
 * While anybody waits there are no permits. A waiter goes as sync/waiter.h says. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <lib/list.h>
#include <sched/thread.h>
#include <sync/spinlock.h>
#include <sync/waiter.h>

#define SEMAPHORE_PERMITS_MAX (UINT32_MAX - 1)

struct semaphore {
    struct spinlock lock;    /* taken in interrupts */
    uint32_t permits;        /* [l] */
    enum thread_wait reason; /* [I] what reports say that is waited for */
    struct list waiters;     /* [l] struct waiter, in the order they came */
};

#define SEMAPHORE_INITIALIZER(variable, nr_permits, semaphore_name) \
    SEMAPHORE_INITIALIZER_(variable, nr_permits, semaphore_name, WAIT_SEMAPHORE)

/* The same for what is made of a semaphore. */
#define SEMAPHORE_INITIALIZER_(variable, nr_permits, semaphore_name, wait_reason)                       \
    {                                                                                                   \
        .lock = SPINLOCK_INITIALIZER(semaphore_name), .permits = (nr_permits), .reason = (wait_reason), \
        .waiters = LIST_INITIALIZER((variable).waiters),                                                \
    }

/* name is what the permits are of, for reports. */
void semaphore_init(struct semaphore *semaphore, uint32_t nr_permits, const char *name);

/* Takes a permit, waiting if need be. Context: thread. */
void semaphore_wait(struct semaphore *semaphore);

/* The same until clock_now_ns() reaches deadline_ns (UINT64_MAX: no deadline): 0, or -ETIMEDOUT without a permit.
 * Context: thread. */
MUST_CHECK int semaphore_wait_until(struct semaphore *semaphore, uint64_t deadline_ns);

/* True when there was a permit, which is the caller's now. Context: any but NMI. */
MUST_CHECK bool semaphore_try_wait(struct semaphore *semaphore);

/* Adds a permit, or hands it to who has waited longest. More than SEMAPHORE_PERMITS_MAX end the kernel. Context: any
 * but NMI. */
void semaphore_post(struct semaphore *semaphore);

/* For reports and tests: it may be another the next moment. */
uint32_t semaphore_permits(const struct semaphore *semaphore);
