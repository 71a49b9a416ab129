/* What heap tests share: a heap on host memory, and a property test that any design behind mm/heap_design.h must pass.
 */
#pragma once

#include <stdint.h>
#include <string.h>

#include <mm/heap_design.h>

/* Fresh memory of nr_frames frames, a page allocator and the slab heap on it. */
void heap_host_init(uint64_t nr_frames);

/* Pages nobody holds, once empty slabs were given back. */
uint64_t heap_host_free_pages(void);

/* steps random allocations and frees of up to max_size bytes, against a model that knows every live object: alignment,
 * ALLOC_ZERO, no overlap with another, contents kept until the free, NULL only where the request may fail. Frees all at
 * the end. Returns NULL, or in words what is wrong. */
const char *heap_property(const struct heap_design *design, uint64_t seed, unsigned steps, uint64_t max_size);

/* The statement must end the kernel with these words among its last ones. */
#define ASSERT_REPORTS(words, statement)                              \
    do {                                                              \
        unit_last_words[0] = 0;                                       \
        assert_true(UNIT_ENDS_KERNEL(statement));                     \
        if (!strstr(unit_last_words, words))                          \
            fail_msg("expected '%s' in: %s", words, unit_last_words); \
    } while (0)
