/* Time: nanoseconds since boot that never go back, and the wall clock. Sources are registered from drivers
 * (time/source.h); the best one is used and watched against another. Context: any. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

#define NS_PER_US 1000ul
#define NS_PER_MS 1000000ul
#define NS_PER_S  1000000000ul

/* Nanoseconds since boot; monotonic on every CPU, lock-free. */
uint64_t clock_now_ns(void);

/* Nanoseconds since 1970-01-01 00:00 UTC, from the RTC at boot; 0 where there is none. 64 bits: good beyond 2038. */
uint64_t clock_wall_ns(void);
