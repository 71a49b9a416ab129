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
