/* What sync keeps with each thread: the sleeping locks it has, and the one it waits for. It is the first member of
 * struct thread; sched zeroes it, calls the two functions below, and leaves it alone otherwise. */
#pragma once

#include <base/types.h>
#include <lib/rbtree.h>
#include <sched/waiter.h>

struct mutex;
struct mutex_waiter;
struct thread;

struct thread_locks {
    struct mutex *held;      /* [o] last taken first, by held_below; o: the thread itself */
    struct rbtree contended; /* [p] held ones that others wait for, by their most urgent waiter; p: the lock "priority
                              * inheritance" */
    struct mutex_waiter *waiting; /* [p] */
    struct waiter waiter; /* for a semaphore, at which a thread waits in one place at a time; its own fields say more */
};

/* Context: any. */
static inline struct thread_locks *thread_locks(struct thread *thread)
{
    return (struct thread_locks *)(void *)thread;
}

/* The running thread ends: it must hold nothing. Implemented by sync/inherit.c. Context: thread. */
void thread_locks_at_exit(struct thread *thread);

/* The thread's own urgency has changed; what it waits for learns of it. Implemented by sync/inherit.c. Context: any but
 * NMI; a spinlock may be held. */
void thread_locks_urgency_changed(struct thread *thread);
