/* Kernel heap: physically contiguous objects of any size up to KMALLOC_MAX. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

#define KMALLOC_MAX ((size_t)4 << 20)

/* Allocation flags, OR-ed. */
#define ALLOC_NORMAL 0u
#define ALLOC_ZERO   (1u << 0) /* the memory is cleared */
#define ALLOC_DMA32  (1u << 1) /* below 4 GiB */

/* Returns memory aligned to 16 bytes (a size that is a power of two: to that size, up to PAGE_SIZE), or NULL when there
 * is none or size is 0 or above KMALLOC_MAX. The caller owns it until kfree. Context: any but NMI and machine check. */
MUST_CHECK void *kmalloc(size_t size, unsigned flags);

/* Gives it back; NULL is allowed. Context: any but NMI and machine check. */
void kfree(void *object);
