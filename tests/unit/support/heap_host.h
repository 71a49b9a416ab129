/* What heap tests share: a heap on host memory, and a property test that any design behind mm/heap_design.h must pass.
 */
#pragma once

#include <stdint.h>

#include <mm/heap_design.h>

/* Fresh memory of nr_frames frames, a page allocator and the slab heap on it. */
void heap_host_init(uint64_t nr_frames);

/* steps random allocations and frees of up to max_size bytes, against a model that knows every live object: alignment,
 * ALLOC_ZERO, no overlap with another, contents kept until the free, NULL only where the request may fail. Frees all at
 * the end. Returns NULL, or in words what is wrong. */
const char *heap_property(const struct heap_design *design, uint64_t seed, unsigned steps, uint64_t max_size);
