/* Several threads that do the same, for tests. */
#pragma once

#include <sched/thread.h>

#define TEAM_SIZE 6

/* Runs function(argument) in TEAM_SIZE threads and waits for all; *sum is that of their exit codes. Returns 0 or
 * -ENOMEM. */
MUST_CHECK int team_run(thread_function function, void *argument, int *sum);

/* Returns when the thread waits for that, or has ended. */
void team_await_wait(const struct thread *thread, enum thread_wait reason);
