/* The shadow: where it is, and reading it. For mm/kasan*.c, which are not instrumented. */
#pragma once

#include <base/kasan.h>
#include <cpu/exception_table.h>

/* The shadow is mapped and complete: accesses are checked. [I] after boot */
extern bool kasan_is_on;

/* What a caller that is not known to be right may be told of the image: its shadow is part of .bss. */
#define KASAN_IMAGE_MAX    0x800000
#define KASAN_IMAGE_SHADOW (KASAN_IMAGE_MAX >> SHADOW_SHIFT)

static inline uint64_t shadow_of(uint64_t address)
{
    return SHADOW_BASE + ((address - PHYSMAP_BASE) >> SHADOW_SHIFT);
}

/* Physmap, vmalloc area and image: the rest of the kernel half is the shadow and the page array. */
static inline bool has_shadow(uint64_t address)
{
    return address - PHYSMAP_BASE < SHADOW_BASE - PHYSMAP_BASE || address >= KERNEL_BASE;
}

/* 0 where no shadow is mapped, for nothing is there either: the access itself will fault, and tell more. */
static ALWAYS_INLINE int8_t shadow_read(uint64_t shadow)
{
    uint8_t value = 0;

    __asm__ volatile("1: movb (%1), %0\n"
                     "2:\n" EXCEPTION_TABLE_ENTRY("1b", "2b")
                     : "+q"(value)
                     : "r"(shadow)
                     : "memory");
    return (int8_t)value;
}

/* Eight of them; not 0 where they are not mapped. */
static ALWAYS_INLINE uint64_t shadow_read_word(uint64_t shadow)
{
    uint64_t value = 1;

    __asm__ volatile("1: movq (%1), %0\n"
                     "2:\n" EXCEPTION_TABLE_ENTRY("1b", "2b")
                     : "+r"(value)
                     : "r"(shadow)
                     : "memory");
    return value;
}

/* This CPU is in kasan_report: nothing is checked. [c] */
extern PER_CPU uint32_t kasan_is_reporting;

/* kasan_report.c: ends the kernel. bad is the first byte that must not be accessed. Not declared as what it is: the
 * compiler would have the stack's redzones taken away first. */
COLD void kasan_report(uint64_t bad, uint64_t start, size_t length, bool is_write, void *const *frame);
