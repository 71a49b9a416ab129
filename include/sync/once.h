/* Something done once, by whoever comes first; all others wait until it is done.
 *
 *     static struct once tables_once = ONCE_INITIALIZER(tables_once, "tables");
 *
 *     error = once_run(&tables_once, make_tables, NULL);
 *
 * Where the function fails it has not been done: the caller who ran it gets the error, and the next of those who wait
 * runs it again. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <sync/wait_queue.h>

enum once_state { ONCE_NOT_RUN, ONCE_RUNNING, ONCE_DONE };

struct once {
    uint32_t state;        /* [a] enum once_state */
    struct thread *runner; /* [a] while ONCE_RUNNING */
    struct wait_queue waiters;
};

#define ONCE_INITIALIZER(variable, once_name)                            \
    {                                                                    \
        .waiters = WAIT_QUEUE_INITIALIZER((variable).waiters, once_name) \
    }

/* True when it has been done: all that the function did is seen. Context: any. */
static inline bool once_is_done(const struct once *once)
{
    /* pairs with the release in once_run_ */
    return __atomic_load_n(&once->state, __ATOMIC_ACQUIRE) == ONCE_DONE;
}

/* Runs the function or waits. */
MUST_CHECK int once_run_(struct once *once, int (*function)(void *argument), void *argument);

/* Returns 0 when it is done, else the function's error. Two instructions where it was done before. A function that asks
 * for its own once ends the kernel. Context: thread. */
MUST_CHECK static inline int once_run(struct once *once, int (*function)(void *argument), void *argument)
{
    return LIKELY(once_is_done(once)) ? 0 : once_run_(once, function, argument);
}
