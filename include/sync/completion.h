/* One event that is waited for: an answer of a device, the end of a piece of work.
 *
 *     struct completion done;                            // on the waiter's stack
 *     completion_init(&done, "disk answer");
 *     start(request, &done);
 *     completion_wait(&done);                            // then the stack may go
 *
 *     completion_complete(&done);                        // in the interrupt handler
 *
 * When a wait returns because of the event, the call that completed does not touch the completion any more, so
 * one waiter, or the last of several, may free it. One whose time was over has not seen that: it must know otherwise
 * that nobody will complete. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <sync/semaphore.h>

/* It counts: each completion_complete lets one wait return, whichever came first. */
struct completion {
    struct semaphore events;
};

#define COMPLETION_INITIALIZER(variable, completion_name)                                         \
    {                                                                                             \
        .events = SEMAPHORE_INITIALIZER_((variable).events, 0, completion_name, WAIT_COMPLETION), \
    }

/* name is what is waited for, for reports. */
void completion_init(struct completion *completion, const char *name);

/* Lets one wait return: one that waits, first come, first served, or else one that comes later. Context: any but NMI.
 */
static inline void completion_complete(struct completion *completion)
{
    semaphore_post(&completion->events);
}

/* Lets all waits return, those to come too, until completion_reset. Takes time, interrupts and preemption off, with the
 * number of those who wait. Context: any but NMI. */
void completion_complete_all(struct completion *completion);

/* Context: thread. */
static inline void completion_wait(struct completion *completion)
{
    semaphore_wait(&completion->events);
}

/* Until clock_now_ns() reaches deadline_ns (UINT64_MAX: no deadline): 0, or -ETIMEDOUT. Context: thread. */
MUST_CHECK static inline int completion_wait_until(struct completion *completion, uint64_t deadline_ns)
{
    return semaphore_wait_until(&completion->events, deadline_ns);
}

/* True where a wait would have returned at once; it takes no event, and does not say that the
 * completion may be freed. Context: any but NMI. */
bool completion_is_done(const struct completion *completion);

/* Forgets what was completed and not waited for. Nobody waits or completes meanwhile. Context: any but NMI. */
void completion_reset(struct completion *completion);
