/* Rounding and power-of-two arithmetic on 64-bit values. Alignments are powers of two. */
#pragma once

#include <base/types.h>

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

static inline bool is_power_of_two(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

static inline uint64_t align_down(uint64_t value, uint64_t alignment)
{
    return value & ~(alignment - 1);
}

/* Wraps to 0 where the result does not fit; callers that take foreign values check first. */
static inline uint64_t align_up(uint64_t value, uint64_t alignment)
{
    return (value + alignment - 1) & ~(alignment - 1);
}

static inline bool is_aligned(uint64_t value, uint64_t alignment)
{
    return (value & (alignment - 1)) == 0;
}

/* The index of the highest set bit; value is not 0. */
static inline unsigned log2_floor(uint64_t value)
{
    return 63u - (unsigned)__builtin_clzll(value);
}

/* The smallest n with (1 << n) >= value; value is 1 to 2^63. */
static inline unsigned log2_ceil(uint64_t value)
{
    return value <= 1 ? 0 : log2_floor(value - 1) + 1;
}
