/* What a thread leaves in a list while it waits to be woken by whoever takes it out; the sleeping locks and queues are
 * made of it.
 *
 *  1. Only under the lock of the list: QUEUED -> TAKEN by who takes it out to wake it; QUEUED -> OUT by the waiter
 *     itself.
 *  2. Who took it wakes the thread and then sets RELEASED; it touches neither waiter nor thread from there on. Between
 *     the two it is not preempted, so the waiter may spin for that.
 *  3. The waiter does not go, nor does what it is in (a stack, or the thread), before it is OUT or RELEASED. */
#pragma once

#include <base/compiler.h>
#include <sched/waiter.h>

static inline enum waiter_state waiter_state(const struct waiter *waiter)
{
    /* pairs with the release in waiter_release: what was handed over is seen */
    return (enum waiter_state)__atomic_load_n(&waiter->state, __ATOMIC_ACQUIRE);
}

/* Under the list's lock. Turns preemption off, until waiter_release. */
void waiter_take(struct waiter *waiter);

/* Wakes it, without the list's lock, and lets it go. */
void waiter_release(struct waiter *waiter);

/* It was found TAKEN: returns when it is RELEASED. Context: thread. */
void waiter_await_release(const struct waiter *waiter);
