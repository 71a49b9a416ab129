/* A semaphore's inside, for what is made of semaphores. */
#pragma once

#include <sched/thread.h>
#include <sync/semaphore.h>

#define SEMAPHORE_ENDLESS UINT32_MAX /* permits that never run out */

/* Gives it endless permits, and one to everybody who waits. Context: any but NMI. */
void semaphore_post_endless(struct semaphore *semaphore);
