/* What the last report says of threads that wait, of very many, and of a list of threads that is damaged. */
#include "../sched/thread_internal.h"
#include <sched/thread.h>
#include <sync/completion.h>
#include <sync/mutex.h>
#include <sync/semaphore.h>
#include <time/clock.h>
#include <time/timer.h>

#include "fault.h"

#define CROWD     100u
#define SETTLE_NS (100 * NS_PER_MS)

static struct mutex kept = MUTEX_INITIALIZER("crowd mutex");
static struct semaphore crowd, arrived;

static NOINLINE int fault_wait_in_crowd(void *argument)
{
    (void)argument;
    semaphore_post(&arrived);
    semaphore_wait(&crowd);
    return 0;
}

static int gather(unsigned count)
{
    semaphore_init(&crowd, 0, "crowd");
    semaphore_init(&arrived, 0, "crowd has arrived");
    for (unsigned i = 0; i < count; i++) {
        struct thread *thread;
        int error = thread_create(&thread, &(struct thread_options){.name = "crowd"}, fault_wait_in_crowd, NULL);

        if (error)
            return error;
        thread_detach(thread);
    }
    for (unsigned i = 0; i < count; i++)
        semaphore_wait(&arrived);
    sleep_ns(SETTLE_NS);
    return 0;
}

FAULT(crowd, 40, "a panic while more threads wait than a report lists: what they wait for, and who has a mutex")
{
    int error = gather(CROWD);

    if (error)
        return error;
    mutex_lock(&kept);
    fault_write((volatile uint64_t *)opaque(0), 0);
    mutex_unlock(&kept);
    return 0;
}

FAULT(thread_list, 44, "a panic with the list of threads damaged: the report says so, and goes on")
{
    int error = gather(2);

    if (error)
        return error;
    thread_next_in_report(NULL)->link.next = opaque_pointer((void *)0x18);
    fault_write((volatile uint64_t *)opaque(0), 0);
    return 0;
}
