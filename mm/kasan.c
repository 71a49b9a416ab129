/* The address sanitizer: what the compiler calls, and the check. Compiled without it.
 *
 * Every access is a call (no inlined checks): so that addresses without a shadow, those of user space and of per-CPU
 * variables (which the compiler takes for addresses, not for offsets from GS), can be left alone. */
#include "kasan_shadow.h"

#include <base/address.h>
#include <cpu/percpu.h>
#include <debug/known_stacks.h>

READ_ONLY_AFTER_INIT bool kasan_is_on;

/* The first byte of the range that must not be accessed; 0 where all of them may. */
static uint64_t find_bad(uint64_t start, size_t length)
{
    uint64_t end = start + length;

    for (uint64_t at = start; at < end; at = (at | (KASAN_GRANULE - 1)) + 1) {
        uint64_t granule = at & ~(uint64_t)(KASAN_GRANULE - 1);
        uint64_t last = end - granule < KASAN_GRANULE ? end - granule : KASAN_GRANULE; /* bytes up to here are used */
        int8_t allowed = shadow_read(shadow_of(at));

        if (allowed == 0 || (allowed > 0 && (uint64_t)allowed >= last))
            continue;
        if (allowed > 0 && granule + (uint64_t)allowed > at)
            return granule + (uint64_t)allowed;
        return at;
    }
    return 0;
}

/* The usual case of a long range: its shadow is 0, eight bytes at a time. False where a part of it is not, or is not
 * mapped. */
static bool is_all_allowed(uint64_t start, size_t length)
{
    uint64_t at = shadow_of(start), last = shadow_of(start + length - 1);

    for (; at % sizeof(uint64_t) != 0 && at < last; at++)
        if (shadow_read(at) != 0)
            return false;
    for (; last - at > sizeof(uint64_t) && at < last; at += sizeof(uint64_t))
        if (shadow_read_word(at) != 0)
            return false;
    for (; at <= last; at++)
        if (shadow_read(at) != 0)
            return false;
    return true;
}

PER_CPU uint32_t kasan_is_reporting; /* [c] */

/* A report reads whatever it likes, and so do the words about the access before it. */
static NOINLINE COLD void check_slowly(uint64_t start, size_t length, bool is_write, void *const *frame)
{
    uint64_t bad = find_bad(start, length);

    if (bad && this_cpu_read(percpu.in_report) == 0 && !this_cpu_read(kasan_is_reporting))
        kasan_report(bad, start, length, is_write, frame);
}

/* An access of up to eight bytes lies in one granule, or in two. */
static ALWAYS_INLINE void check_small(uint64_t start, size_t length, bool is_write, void *const *frame)
{
    if (UNLIKELY(!has_shadow(start) || !kasan_is_on))
        return;
    int8_t first = shadow_read(shadow_of(start)), last = shadow_read(shadow_of(start + length - 1));

    if (UNLIKELY((first | last) != 0))
        check_slowly(start, length, is_write, frame);
}

void kasan_check_(const void *pointer, size_t length, bool is_write, void *const *frame)
{
    uint64_t start = (uint64_t)(uintptr_t)pointer;

    if (length != 0 && has_shadow(start) && start + length > start && kasan_is_on && !is_all_allowed(start, length))
        check_slowly(start, length, is_write, frame);
}

/* The string instruction with bytes is slow under an emulator. */
static void fill(uint64_t shadow, uint8_t value, size_t bytes)
{
    uint64_t end = shadow + bytes, words;

    for (; shadow < end && shadow % sizeof(uint64_t) != 0; shadow++)
        *(uint8_t *)(uintptr_t)shadow = value;
    words = (end - shadow) / sizeof(uint64_t);
    __asm__ volatile("rep stosq" : "+D"(shadow), "+c"(words) : "a"(value * 0x0101010101010101u) : "memory");
    for (; shadow < end; shadow++)
        *(uint8_t *)(uintptr_t)shadow = value;
}

void kasan_poison_(const void *pointer, size_t length, enum kasan_reason reason)
{
    uint64_t start = (uint64_t)(uintptr_t)pointer;

    if (kasan_is_on)
        fill(shadow_of(start), (uint8_t)reason, (length + KASAN_GRANULE - 1) / KASAN_GRANULE);
}

void kasan_unpoison_(const void *pointer, size_t length)
{
    uint64_t start = (uint64_t)(uintptr_t)pointer;

    if (!kasan_is_on)
        return;
    fill(shadow_of(start), 0, length / KASAN_GRANULE);
    if (length % KASAN_GRANULE)
        *(uint8_t *)(uintptr_t)shadow_of(start + length) = (uint8_t)(length % KASAN_GRANULE);
}

/* Called before a function that does not return: nobody will take the redzones of the frames away that are left. */
COLD void __asan_handle_no_return(void);
COLD void __asan_handle_no_return(void)
{
    uint64_t here = (uint64_t)(uintptr_t)__builtin_frame_address(0);
    struct known_stack stack;

    if (kasan_is_on && known_stack_find(here, &stack))
        kasan_unpoison_((const void *)(uintptr_t)(here & ~(uint64_t)(KASAN_GRANULE - 1)), stack.high - here);
}

/* -fno-sanitize-recover= makes the compiler call the names without _noabort. */
#define HOOK(name, is_write, size)                         \
    void __asan_##name##size(uintptr_t address);           \
    void __asan_##name##size(uintptr_t address)            \
    {                                                      \
        check_small(address, size, is_write, KASAN_FRAME); \
    }

HOOK(load, false, 1)
HOOK(load, false, 2)
HOOK(load, false, 4)
HOOK(load, false, 8)
HOOK(store, true, 1)
HOOK(store, true, 2)
HOOK(store, true, 4)
HOOK(store, true, 8)

#define RANGE_HOOK(name, is_write, parameters, size)                      \
    void __asan_##name parameters;                                        \
    void __asan_##name parameters                                         \
    {                                                                     \
        kasan_check_((const void *)address, size, is_write, KASAN_FRAME); \
    }

RANGE_HOOK(load16, false, (uintptr_t address), 16)
RANGE_HOOK(store16, true, (uintptr_t address), 16)
RANGE_HOOK(loadN, false, (uintptr_t address, size_t length), length)
RANGE_HOOK(storeN, true, (uintptr_t address, size_t length), length)
