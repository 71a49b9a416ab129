/* What a thread has announced to wait for: the beginning of a wait, which is inline, and what others read for reports.
 * It follows struct thread_locks in struct thread. */
#pragma once

#include <sched/thread_locks.h>

enum thread_wait_state { THREAD_IS_AWAKE, THREAD_HAS_BEGUN_WAIT };

struct thread_waiting {
    uint32_t state;     /* [a] enum thread_wait_state; see src/sched/thread_internal.h, T3 */
    uint32_t reason;    /* [o] enum thread_wait; others read it for reports; o: the thread itself */
    const void *object; /* [o] the same */
};

/* Context: any. */
static inline struct thread_waiting *thread_waiting(struct thread *thread)
{
    return (struct thread_waiting *)(void *)(thread_locks(thread) + 1);
}
