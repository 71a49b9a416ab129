/* Counting threads, for tests. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

struct cpu_mask;

MUST_CHECK int thread_cache_init(void);

/* Waits until everybody who has ended is off its stack, and gives back kept stacks. Context: thread. */
void threads_settle(void);

/* Whether any CPU of the set takes threads. Context: any. */
bool sched_any_cpu_of(const struct cpu_mask *cpus);
