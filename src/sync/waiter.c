#include <sync/waiter.h>

#include <base/assert.h>
#include <cpu/interrupts.h>
#include <cpu/preempt.h>
#include <sched/thread.h>

void waiter_take(struct waiter *waiter)
{
    DEBUG_ASSERT(waiter->state == WAITER_QUEUED);
    preempt_disable();
    __atomic_store_n(&waiter->state, WAITER_TAKEN, __ATOMIC_RELAXED);
}

/* Woken first: until it is RELEASED the thread exists, and only until then. */
void waiter_release(struct waiter *waiter)
{
    thread_wake(waiter->thread);
    __atomic_store_n(&waiter->state, WAITER_RELEASED, __ATOMIC_RELEASE); /* pairs with waiter_state */
    preempt_enable();
}

/* Who took it is on another CPU, at most an interrupt's length from the end: had it been preempted by us, it would be
 * done. */
void waiter_await_release(const struct waiter *waiter)
{
    while (waiter_state(waiter) != WAITER_RELEASED)
        cpu_relax();
}
