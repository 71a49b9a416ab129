/* Slab caches: objects of one size, out of blocks of pages, with a per-CPU magazine of free objects in front.
 *
 * Every build checks: the poison of a freed object's first 64 bytes when it is handed out again, the redzone behind an
 * object when it is freed, the state of both, and every link of a free list. A debug build poisons whole objects and
 * keeps a backtrace of the allocation and of the free. What fails ends in a report (mm/heap_report.h). */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <lib/list.h>
#include <mm/kmalloc.h> /* ALLOC_* */

#define SLAB_OBJECT_MAX 8192u

struct slab_cache;

/* Every cache, linked by struct slab_cache.link; for debuggers and statistics. */
extern struct list slab_caches;

/* A cache of objects of this size (1 to SLAB_OBJECT_MAX bytes) at this alignment (a power of two up to PAGE_SIZE; at
 * least 16 is given). alloc_flags: 0 or ALLOC_DMA32, for all its objects. name must outlive the cache. Returns NULL
 * when there is no memory or a value is out of range. Context: any but NMI and machine check. */
MUST_CHECK struct slab_cache *slab_cache_create(const char *name, size_t size, size_t alignment, unsigned alloc_flags);

/* Gives the cache and its pages back. Returns 0, or -EBUSY with nothing changed while objects are in use. Nothing else
 * may use the cache meanwhile. Context: thread. */
MUST_CHECK int slab_cache_destroy(struct slab_cache *cache);

/* flags: 0 or ALLOC_ZERO. NULL when there is no memory. Context: any but NMI and machine check. */
MUST_CHECK void *slab_alloc(struct slab_cache *cache, unsigned flags);
void slab_free(struct slab_cache *cache, void *object); /* NULL is allowed */

/* Gives back this CPU's magazines, which it makes again when it needs them, and gives every slab without objects back
 * to the page allocator; returns the pages. Called when pages run out, and before counts are compared. Context: any but
 * NMI and machine check. */
uint64_t slab_reap(void);

/* Checks the poison of free objects, at most one slab and one magazine a call, and goes on from there the next time. A
 * changed one ends in a report. Does nothing while another CPU has the list of caches. Called where the machine has
 * nothing to do. Context: any but NMI and machine check. */
void slab_scrub(void);

struct slab_statistics {
    const char *name;
    uint32_t object_bytes; /* what a caller may use */
    uint32_t stride_bytes; /* what an object costs */
    uint32_t slab_bytes;
    uint32_t objects_per_slab;
    uint64_t slabs;
    uint64_t in_use;    /* objects that callers hold */
    uint64_t magazines; /* free objects in the CPUs' magazines */
    uint64_t free;      /* free objects in slabs */
};

/* One cache's numbers, by its place in the list of caches; false past the last. Exact when nothing else runs. Context:
 * any but NMI and machine check. */
bool slab_statistics(unsigned n, struct slab_statistics *statistics);

/* Objects in use in all caches that callers see, and pages held by slabs. */
struct slab_counts {
    uint64_t objects;
    uint64_t pages;
};
struct slab_counts slab_counts(void);
