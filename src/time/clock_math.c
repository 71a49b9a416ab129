#include "clock_math.h"

#include <time/clock.h>

#define NEVER_S       315360000u /* ten years */
#define DRIFT_ALLOWED 2000u      /* one part in so many: 500 ppm */

uint64_t clock_multiplier(uint64_t frequency_hz)
{
    return ((NS_PER_S << 32) + frequency_hz / 2) / frequency_hz; /* 10^9 is below 2^30 */
}

uint64_t clock_wrap_ns(uint64_t mask, uint64_t frequency_hz)
{
    if (mask < (uint64_t)1 << 33)
        return (mask + 1) * NS_PER_S / frequency_hz;
    if (mask / frequency_hz >= NEVER_S)
        return UINT64_MAX;
    return mask / frequency_hz * NS_PER_S; /* a part of a second in many */
}

int64_t clock_difference_ns(uint64_t elapsed_ns, uint64_t reference_ns, uint64_t wrap_ns)
{
    uint64_t ahead;

    if (wrap_ns == UINT64_MAX)
        return (int64_t)(elapsed_ns - reference_ns);
    ahead = (elapsed_ns % wrap_ns + wrap_ns - reference_ns % wrap_ns) % wrap_ns;
    return ahead <= wrap_ns / 2 ? (int64_t)ahead : (int64_t)ahead - (int64_t)wrap_ns;
}

bool clock_has_drifted(uint64_t elapsed_ns, int64_t difference_ns, uint64_t doubt_ns)
{
    uint64_t size = difference_ns < 0 ? -(uint64_t)difference_ns : (uint64_t)difference_ns;

    return size > elapsed_ns / DRIFT_ALLOWED + doubt_ns;
}
