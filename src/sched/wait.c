/* Announcing a wait, sleeping, and waking.
 *
 *     the waiter                       the waker
 *     W1  wait_state := begun          K1  condition := true
 *     W2  full fence                   K2  full fence
 *     W3  looks at the condition       K3  looks at wait_state
 *
 * Either W3 sees K1 or K3 sees W1: no wake-up is lost. A waker that sees it takes the queue's lock, under which the
 * waiter goes to sleep only while it is still announced (thread_wait_irq_off): so what K3 finds is either still
 * running, and then will not sleep, or is asleep with its registers saved (T2). */
#include "cpu_queue.h"

#include <base/assert.h>
#include <base/errno.h>
#include <cpu/interrupts.h>
#include <time/clock.h>

#include "hand_over.h"
#include "spread.h"

void thread_wait_end(void)
{
    struct thread *thread = thread_current();

    /* A waker that has seen the announcement may come later: it finds the thread awake, or waiting for something else,
     * and then has woken it for nothing. */
    __atomic_store_n(&thread->waiting.state, THREAD_IS_AWAKE, __ATOMIC_RELAXED);
    wait_end(thread);
}

static void sleep_until_woken(void)
{
    irq_disable();
    thread_wait_irq_off();
    irq_enable();
}

static void time_out(struct timer *timer)
{
    struct thread *thread = CONTAINER_OF(timer, struct thread, timer);

    thread->has_timed_out = true;
    (void)thread_wake(thread);
}

/* Returns 0 or -ETIMEDOUT. */
static int sleep_with_deadline(struct thread *thread, uint64_t deadline_ns)
{
    thread->has_timed_out = false;
    timer_init(&thread->timer, time_out);
    timer_set(&thread->timer, deadline_ns);
    sleep_until_woken();
    (void)timer_cancel(&thread->timer); /* from here on its function does not run */
    return thread->has_timed_out ? -ETIMEDOUT : 0;
}

int thread_wait_until(uint64_t deadline_ns)
{
    struct thread *thread = thread_current();
    int error = 0;

    assert_may_sleep();
    ASSERT(thread && !thread_is_idle(thread));
    if (deadline_ns == UINT64_MAX)
        sleep_until_woken();
    else
        error = sleep_with_deadline(thread, deadline_ns);
    return error;
}

/* [q] The thread sleeps: T3. Where it goes on where it was, it is put into that queue at once; else it is in transit.
 * Gives the lock back. */
static void rouse(struct cpu_queue *queue, struct thread *thread)
{
    enum run_queue_effect effect = EFFECT_NONE;
    bool is_in_transit = spread_choose(queue, thread) != queue->queue.cpu;

    if (LIKELY(!is_in_transit)) {
        spread_note_work(queue);
        effect = run_queue_add(&queue->queue, &thread->entity, sched_now_ns(), ARRIVAL_WOKEN);
    }
    hand_forget(&thread->entity); /* in transit it has an owner: T4 */
    cpu_queue_unlock_and_tell(queue, effect);
    if (UNLIKELY(effect == EFFECT_BEHIND))
        spread_push(queue);
    if (UNLIKELY(is_in_transit))
        thread_arrive(thread, ARRIVAL_WOKEN);
}

/* [q] on entry. */
static NOINLINE bool wake_locked(struct cpu_queue *queue, struct thread *thread)
{
    bool is_waiting = __atomic_load_n(&thread->waiting.state, __ATOMIC_RELAXED) != THREAD_IS_AWAKE;

    __atomic_store_n(&thread->waiting.state, THREAD_IS_AWAKE, __ATOMIC_RELAXED);
    if (is_waiting && thread->entity.state == ENTITY_OUT)
        rouse(queue, thread);
    else
        spinlock_unlock_irq_off(&queue->lock);
    return is_waiting;
}

/* Taking the lock is K2. */
bool thread_wake_long_irq_off(struct thread *thread)
{
    return wake_locked(thread_queue_lock(thread), thread);
}

/* A thread with a key sleeps, at the CPU that the key has (T3). Calls nobody, so that it needs no frame: hence a lock
 * that is only tried for, and that no report is told of. Taking it is K2. */
bool thread_try_hand_over_irq_off(struct thread *thread)
{
    struct cpu_queue *queue = this_cpu_queue();
    bool is_handed;

    if (UNLIKELY(!cpu_queue_try_lock_briefly(queue)))
        return false;
    is_handed = run_queue_try_hand_over(&queue->queue, &thread->entity);
    if (LIKELY(is_handed))
        __atomic_store_n(&thread->waiting.state, THREAD_IS_AWAKE, __ATOMIC_RELAXED);
    cpu_queue_unlock_briefly(queue);
    return is_handed;
}

bool thread_wake(struct thread *thread)
{
    uint64_t flags;
    bool is_woken;

    schedule_point();
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* K2; pairs with the exchange in thread_wait_begin */
    if (__atomic_load_n(&thread->waiting.state, __ATOMIC_RELAXED) == THREAD_IS_AWAKE)
        return false;
    flags = irq_save();
    is_woken = thread_wake_irq_off(thread);
    irq_restore(flags);
    preempt_check();
    return is_woken;
}

const char *thread_wait_name(enum thread_wait reason)
{
    static const char *const names[NR_THREAD_WAITS] = {
        [WAIT_NOTHING] = "nothing",
        [WAIT_MUTEX] = "mutex",
        [WAIT_RWLOCK] = "reader-writer lock",
        [WAIT_SEMAPHORE] = "semaphore",
        [WAIT_COMPLETION] = "completion",
        [WAIT_QUEUE] = "wait queue",
        [WAIT_ONCE] = "once",
        [WAIT_JOIN] = "end of thread",
        [WAIT_SLEEP] = "time",
        [WAIT_BLOCK] = "block device",
        [WAIT_WORK] = "work",
        [WAIT_INPUT] = "input",
        [WAIT_EVENT] = "event",
    };

    return (unsigned)reason < NR_THREAD_WAITS ? names[reason] : "?";
}
