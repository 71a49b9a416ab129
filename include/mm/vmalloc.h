/* Virtually contiguous memory, guarded stacks and device mappings, in the vmalloc area. Every area has an unmapped
 * guard page on both sides. */
#pragma once

#include <base/address.h>
#include <base/compiler.h>
#include <base/types.h>

/* Returns size bytes, rounded up to pages, from single frames; NULL where memory or page tables run out or size is 0.
 * ALLOC_ZERO is honoured. The caller owns it until vfree. Context: thread. */
MUST_CHECK void *vmalloc(size_t size, unsigned alloc_flags);
void vfree(void *address);

/* A kernel stack of KERNEL_STACK_SIZE with guard pages marked as such; owner_name is used in reports and must outlive
 * it. Returns its lowest address, or NULL. Filled with a pattern for the high-water mark. Context: thread. */
MUST_CHECK void *stack_alloc(const char *owner_name);
/* The same of another size, a multiple of PAGE_SIZE. No thread's. */
MUST_CHECK void *stack_alloc_sized(const char *owner_name, size_t size);
void stack_free(void *stack);

/* Bytes of this stack that were ever used. Context: any. */
size_t stack_high_water_mark(const void *stack);

/* Maps device memory (map_flags: MAP_WRITE, MAP_UNCACHED or MAP_WRITE_COMBINE). Any physical alignment and length. NULL
 * on failure, and where some of it is the kernel's memory, unless it is only to be read (MAP_READ). Context: thread. */
MUST_CHECK void *device_map(paddr_t base, uint64_t length, unsigned map_flags);
void device_unmap(void *address);
