#include <sync/once.h>

#include <debug/panic.h>
#include <sched/thread.h>

static int run(struct once *once, int (*function)(void *argument), void *argument)
{
    int error;

    __atomic_store_n(&once->runner, thread_current(), __ATOMIC_RELAXED);
    error = function(argument);
    __atomic_store_n(&once->runner, NULL, __ATOMIC_RELAXED);
    /* pairs with the acquire in once_is_done and in try_start */
    __atomic_store_n(&once->state, error ? ONCE_NOT_RUN : ONCE_DONE, __ATOMIC_RELEASE);
    if (error)
        wait_queue_wake_one(&once->waiters);
    else
        wait_queue_wake_all(&once->waiters);
    return error;
}

static bool try_start(struct once *once)
{
    return __atomic_compare_exchange_n(&once->state, &(uint32_t){ONCE_NOT_RUN}, ONCE_RUNNING, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_ACQUIRE);
}

int once_run_(struct once *once, int (*function)(void *argument), void *argument)
{
    assert_may_sleep();
    while (!once_is_done(once)) {
        if (try_start(once))
            return run(once, function, argument);
        if (__atomic_load_n(&once->runner, __ATOMIC_RELAXED) == thread_current())
            panic("once '%s' asked for by the function that it runs", once->waiters.lock.name);
        wait_queue_wait_exclusive(&once->waiters, __atomic_load_n(&once->state, __ATOMIC_ACQUIRE) != ONCE_RUNNING);
    }
    return 0;
}
