/* Counting threads, for tests. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

struct cpu_mask;

MUST_CHECK int thread_cache_init(void);

/* Whether any CPU of the set takes threads. Context: any. */
bool sched_any_cpu_of(const struct cpu_mask *cpus);
