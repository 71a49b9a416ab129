/* Sleeping mutual exclusion between threads, with priority inheritance: who waits for a mutex lends its urgency to the
 * owner, and to whom that one waits for in turn, until the owner gives the mutex back or the waiter's time is over.
 *
 * Rules for the caller: only the thread that took it gives it back; a thread takes it once; nothing that must not sleep
 * takes one (interrupts, deferred work, timers' functions, holders of a spinlock: a report says so). A thread that ends
 * has given back all. docs/locking.md has the ranks.
 *
 * A mutex that others wait for is handed to the most urgent of them, among equals to who came first; it is never free
 * in between, so who gives it back and wants it again waits behind them. Giving it back touches it no more once another
 * thread may have it: the last who has it may free it.
 *
 *  1. owner is 0 when it is free, else the thread's address; MUTEX_HAS_WAITERS is set in it while, and only while,
 *     there are waiters. So taking a free one and giving back one nobody waits for is one atomic instruction each.
 *  2. Everything else about waiting is changed under the lock "priority inheritance" (src/sync/inherit.c). */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <lib/rbtree.h>
#include <sync/lockdep.h>

struct thread;

#define MUTEX_HAS_WAITERS 1u

struct mutex {
    uintptr_t owner;              /* [a] the thread, and MUTEX_HAS_WAITERS; 0: free */
    struct mutex *held_below;     /* [o] the mutex its owner had taken before; o: the owner's */
    const void *acquired_at;      /* [o] where it was taken */
    const char *name;             /* [I] what it protects, as docs/locking.md calls it */
    struct rbtree waiters;        /* [p] the most urgent first; p: the lock "priority inheritance" */
    struct rbtree_node contended; /* [p] among the owner's that others wait for */
    struct lockdep_map lockdep;
};

#define MUTEX_INITIALIZER(mutex_name) \
    {                                 \
        .name = (mutex_name)          \
    }

void mutex_init(struct mutex *mutex, const char *name);

/* Takes it, waiting if need be. Asking for one's own ends the kernel with a report that names both places. A circle of
 * threads that wait for each other is reported once it closes; they wait on. Context: thread. */
void mutex_lock(struct mutex *mutex);

/* The same until clock_now_ns() reaches deadline_ns (UINT64_MAX: no deadline): 0, or -ETIMEDOUT without it. Context:
 * thread. */
MUST_CHECK int mutex_lock_until(struct mutex *mutex, uint64_t deadline_ns);

/* True when it was free and is the caller's now. Context: thread. */
MUST_CHECK bool mutex_try_lock(struct mutex *mutex);

/* Context: thread, the one that took it. */
void mutex_unlock(struct mutex *mutex);

/* Who has it, NULL for nobody: for reports, it may be another the next moment, and gone. Context: any. */
struct thread *mutex_owner(const struct mutex *mutex);

/* True when the running thread has it. Context: thread. */
bool mutex_is_held(const struct mutex *mutex);
void assert_mutex_held(const struct mutex *mutex);
