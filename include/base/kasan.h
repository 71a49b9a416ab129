/* The address sanitizer inside the kernel, preset `kasan`: the compiler calls mm/kasan.c before each access, which
 * looks into a shadow where one byte says of eight which may be accessed: 0 all, 1 to 7 the first so many, else none,
 * and why. What hands memory out and takes it back says so here. In other builds all of this is nothing.
 *
 * A finding ends in a fault report. docs/sanitizers.md. */
#pragma once

#include <base/compiler.h>
#include <base/layout.h>
#include <base/types.h>

#ifndef CONFIG_KASAN
#define CONFIG_KASAN 0
#endif

#define KASAN_GRANULE 8u /* bytes of memory a byte of shadow tells of */

/* Why memory must not be accessed. Those of the stack are written by the compiler. */
enum kasan_reason {
    KASAN_STACK_LEFT = 0xf1,
    KASAN_STACK_MIDDLE = 0xf2,
    KASAN_STACK_RIGHT = 0xf3,
    KASAN_STACK_SCOPE = 0xf8,
    KASAN_GLOBAL = 0xf9,
    KASAN_LARGE_REDZONE = 0xfa,
    KASAN_SLAB_FREE = 0xfb,
    KASAN_SLAB_REDZONE = 0xfc,
    KASAN_VMALLOC = 0xfd,
    KASAN_PAGE_FREE = 0xff,
};

/* The calling function's frame: where the report says that the access was. */
#define KASAN_FRAME ((void *const *)__builtin_frame_address(0))

void kasan_check_(const void *start, size_t length, bool is_write, void *const *frame);
void kasan_poison_(const void *start, size_t length, enum kasan_reason reason);
void kasan_unpoison_(const void *start, size_t length);

/* For code whose accesses the compiler does not see: assembly, and what is not instrumented. Context: any. */
static ALWAYS_INLINE void kasan_check_read(const void *start, size_t length, void *const *frame)
{
    if (CONFIG_KASAN)
        kasan_check_(start, length, false, frame);
}

static ALWAYS_INLINE void kasan_check_write(const void *start, size_t length, void *const *frame)
{
    if (CONFIG_KASAN)
        kasan_check_(start, length, true, frame);
}

/* Nothing in [start, start + length) may be accessed from now on. start is aligned to KASAN_GRANULE; length is rounded
 * up. Does nothing before the shadow is there. Context: any. */
static ALWAYS_INLINE void kasan_poison(const void *start, size_t length, enum kasan_reason reason)
{
    if (CONFIG_KASAN)
        kasan_poison_(start, length, reason);
}

/* Exactly length bytes may be accessed; those left of the last granule may not. start is aligned to KASAN_GRANULE. */
static ALWAYS_INLINE void kasan_unpoison(const void *start, size_t length)
{
    if (CONFIG_KASAN)
        kasan_unpoison_(start, length);
}

/* Maps the shadow of the image into the trampoline's page tables, for the redzones of stack variables. Context: init,
 * uninstrumented, once image_to_physical works. */
void kasan_early_init_(void);

static ALWAYS_INLINE void kasan_early_init(void)
{
    if (CONFIG_KASAN)
        kasan_early_init_();
}
