/* A semaphore's wait, for what is made of semaphores and has a name of its own in reports. */
#pragma once

#include <sched/thread.h>
#include <sync/semaphore.h>

#define SEMAPHORE_ENDLESS UINT32_MAX /* permits that never run out */

/* As semaphore_wait_until, where reports say that a `reason` at the semaphore's address is waited for. */
MUST_CHECK int semaphore_wait_for(struct semaphore *semaphore, enum thread_wait reason, uint64_t deadline_ns);

/* Gives it endless permits, and one to everybody who waits. Context: any but NMI. */
void semaphore_post_endless(struct semaphore *semaphore);
