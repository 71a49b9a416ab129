/* Counters that one CPU or thread writes at a time, with or without a lock, and others read meanwhile with READ_ONCE.
 */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

/* Adds 1, in one instruction: WRITE_ONCE of a sum would be three. Not atomic among several writers; orders nothing.
 * Context: any. */
#ifdef __KEEL__
static ALWAYS_INLINE void counter_increment(uint64_t *counter)
{
    __asm__("incq %0" : "+m"(*counter) : : "cc");
}
#else
static inline void counter_increment(uint64_t *counter)
{
    WRITE_ONCE(*counter, *counter + 1);
}
#endif
