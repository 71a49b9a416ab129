/* Fixed point arithmetic with a product of 128 bits. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

/* a * b >> shift, of which the lower 64 bits; shift is 63 at most. Not by the compiler's 128-bit type, for which it
 * aligns the stack to 16. */
static ALWAYS_INLINE uint64_t multiply_and_shift(uint64_t a, uint64_t b, uint8_t shift)
{
    uint64_t high;

    __asm__("mulq %[b]\n\t"
            "shrdq %b[shift], %[high], %[a]"
            : [a] "+a"(a), [high] "=&d"(high)
            : [b] "rm"(b), [shift] "Jc"(shift)
            : "cc");
    return a;
}
