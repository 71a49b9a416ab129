/* The arithmetic of counters. Pure C. */
#pragma once

#include <base/types.h>

/* ns = count * multiplier >> 32; right to 2^-31 or better for every frequency up to 4 GHz. frequency_hz is not 0. */
uint64_t clock_multiplier(uint64_t frequency_hz);
static inline uint64_t clock_counts_to_ns(uint64_t counts, uint64_t multiplier)
{
    return (uint64_t)((unsigned __int128)counts * multiplier >> 32);
}

/* When a counter with this mask wraps, in ns, for masks from 2^33 on rounded down to seconds; UINT64_MAX: in 290 years
 * or more. The frequency is 1 GHz at most for smaller masks than 2^33, or any for greater ones. */
uint64_t clock_wrap_ns(uint64_t mask, uint64_t frequency_hz);

/* How far one clock's elapsed time is from another's, which wraps at wrap_ns: the nearest difference, elapsed -
 * reference. */
int64_t clock_difference_ns(uint64_t elapsed_ns, uint64_t reference_ns, uint64_t wrap_ns);

/* True where a difference is more than a clock that is measured to 100 ppm can have after that time, with doubt_ns of
 * doubt in the readings. */
bool clock_has_drifted(uint64_t elapsed_ns, int64_t difference_ns, uint64_t doubt_ns);
