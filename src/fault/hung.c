/* Threads that wait for what does not come, for a while: long enough for the watchdog to find them. */
#include <sched/thread.h>
#include <sync/completion.h>
#include <sync/mutex.h>
#include <time/clock.h>
#include <time/timer.h>

#include "fault.h"

#define HANG_NS (4 * NS_PER_S)

static struct mutex provoked = MUTEX_INITIALIZER("hung fault");
static struct completion never, is_taken;

static NOINLINE int fault_wait_with_mutex(void *argument)
{
    (void)argument;
    mutex_lock(&provoked);
    completion_complete(&is_taken);
    completion_wait(&never);
    mutex_unlock(&provoked);
    return 0;
}

static NOINLINE int fault_wait_for_mutex(void *argument)
{
    (void)argument;
    mutex_lock(&provoked);
    mutex_unlock(&provoked);
    return 0;
}

FAULT(hung_thread, 40, "a thread waits for a mutex whose owner waits for what does not come: the chain, with stacks")
{
    struct thread *owner, *waiter;
    int error;

    completion_init(&never, "never");
    completion_init(&is_taken, "is taken");
    error = thread_create(&owner, &(struct thread_options){.name = "owner"}, fault_wait_with_mutex, NULL);
    if (error)
        return error;
    completion_wait(&is_taken);
    error = thread_create(&waiter, &(struct thread_options){.name = "waiter"}, fault_wait_for_mutex, NULL);
    if (!error)
        sleep_ns(HANG_NS);
    completion_complete(&never);
    (void)thread_join(owner, NULL);
    if (!error)
        (void)thread_join(waiter, NULL);
    return error;
}

static struct mutex circle_first = MUTEX_INITIALIZER("circle first"),
                    circle_second = MUTEX_INITIALIZER("circle second");
static struct completion first_is_taken, second_is_taken;

static NOINLINE int fault_want_second(void *argument)
{
    (void)argument;
    mutex_lock(&circle_first);
    completion_complete(&first_is_taken);
    completion_wait(&second_is_taken);
    mutex_lock(&circle_second);
    mutex_unlock(&circle_second);
    mutex_unlock(&circle_first);
    return 0;
}

static NOINLINE int fault_want_first(void *argument)
{
    (void)argument;
    mutex_lock(&circle_second);
    completion_complete(&second_is_taken);
    completion_wait(&first_is_taken);
    mutex_lock(&circle_first);
    mutex_unlock(&circle_first);
    mutex_unlock(&circle_second);
    return 0;
}

/* Neither ends any more. */
FAULT(hung_circle, 40,
      "two threads wait for each other's mutex for ever: told when the circle closes, and as hung threads")
{
    struct thread *first, *second;
    int error;

    completion_init(&first_is_taken, "first is taken");
    completion_init(&second_is_taken, "second is taken");
    error = thread_create(&first, &(struct thread_options){.name = "wants second"}, fault_want_second, NULL);
    if (error)
        return error;
    error = thread_create(&second, &(struct thread_options){.name = "wants first"}, fault_want_first, NULL);
    if (error) {
        completion_complete(&second_is_taken);
        return thread_join(first, NULL);
    }
    thread_detach(first);
    thread_detach(second);
    sleep_ns(HANG_NS);
    return 0;
}
