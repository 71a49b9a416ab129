/* A semaphore's wait, for what is made of semaphores and has a name of its own in reports. */
#pragma once

#include <sched/thread.h>
#include <sync/semaphore.h>

#define SEMAPHORE_ENDLESS UINT32_MAX /* permits that never run out */

struct wait_object {
    enum thread_wait reason;
    const void *object;
};

/* As semaphore_wait_until; object is what reports say is waited for. */
MUST_CHECK int semaphore_wait_for(struct semaphore *semaphore, const struct wait_object *object, uint64_t deadline_ns);

/* Gives it endless permits, and one to everybody who waits. Context: any but NMI. */
void semaphore_post_endless(struct semaphore *semaphore);
