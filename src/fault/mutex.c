/* Sleeping locks used wrongly. */
#include <base/errno.h>
#include <sched/thread.h>
#include <sync/mutex.h>

#include "fault.h"

static struct mutex provoked = MUTEX_INITIALIZER("provoked");

static NOINLINE void fault_lock_again(void)
{
    mutex_lock(&provoked);
    mutex_unlock(&provoked);
}

FAULT(mutex_recursion, 35, "a mutex taken twice by one thread, with both places")
{
    mutex_lock(&provoked);
    fault_lock_again();
    mutex_unlock(&provoked);
    return 0;
}

static int fault_keep_mutex(void *argument)
{
    (void)argument;
    mutex_lock(&provoked);
    return 0;
}

FAULT(mutex_kept, 35, "a thread ends with a mutex")
{
    struct thread *thread;
    int error = thread_create(&thread, &(struct thread_options){.name = "keeper"}, fault_keep_mutex, NULL);

    if (error)
        return error;
    return thread_join(thread, NULL);
}
