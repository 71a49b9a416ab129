/* Priority inheritance: who waits for which mutex, and how urgent that makes the owners.
 *
 *  P1. All of it is changed under one lock, "priority inheritance", which only those take who wait for a mutex or hand
 *      one on, each time for a bounded number of steps.
 *  P2. The waiters of a mutex are ordered by urgency, as noted in each, and among equals by arrival. A mutex with
 *      waiters is among its owner's contended ones, ordered by its first waiter's.
 *  P3. What a thread inherits is the urgency of the first waiter of the first of its contended mutexes. It is set in
 *      the same section in which those change.
 *  P4. A thread's urgency may differ from what its own waiter says only until inherit_pass_on has come by: whoever
 *      changes what a thread inherits calls it. Each of its steps is a section of its own, which works on what it
 *      finds, so that the length of a chain does not matter; it goes on only where it changed something, so that a
 *      circle ends it. */
#pragma once

#include <sync/mutex.h>
#include <sync/waiter.h>

struct mutex_waiter {
    struct waiter waiter;    /* its link is not used; its list is the tree below */
    struct rbtree_node node; /* [p] in mutex->waiters while QUEUED */
    struct mutex *mutex;     /* [I] */
    unsigned urgency;        /* [p] of the thread, as far as is known */
    uint64_t number;         /* [p] by arrival */
    bool has_deadline;       /* [I] */
};

extern struct spinlock inheritance_lock;

static inline struct thread *mutex_owner_of(uintptr_t owner)
{
    return (struct thread *)(owner & ~(uintptr_t)MUTEX_HAS_WAITERS);
}

/* All but the last two: with inheritance_lock held. */

/* The owner, which has MUTEX_HAS_WAITERS, inherits from one more waiter, the running thread. */
void inherit_add_waiter(struct mutex *mutex, struct mutex_waiter *waiter);

/* One that is QUEUED is taken out; the owner inherits less. */
void inherit_remove_waiter(struct mutex_waiter *waiter);

/* The owner has given it back: takes the first waiter out, QUEUED still, makes its thread the owner, and settles what
 * the new and the old one inherit. NULL, and the mutex free, where nobody waits. */
struct mutex_waiter *inherit_hand_on(struct mutex *mutex, struct thread *from);

/* True where the waiter, just added, closed a circle of threads that wait for each other without a deadline. */
bool inherit_is_circle(const struct mutex_waiter *waiter);

/* thread's urgency may have changed: tells what it waits for, and so on. Takes a reference. */
void inherit_pass_on(struct thread *thread);
