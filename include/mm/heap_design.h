/* The designs of heap that were compared (docs/allocator-designs.md), behind kmalloc's contract (mm/kmalloc.h): sizes,
 * alignment, flags, NULL where there is none, a report for a broken object. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

struct heap_design {
    const char *name;
    void *(*alloc)(size_t size, unsigned flags);
    void (*free)(void *object);
    uint64_t (*settle)(void); /* gives what is only cached back to the page allocator; returns the pages */
    uint64_t (*pages)(void);  /* pages held now, for objects, bookkeeping and caches */
};

/* Slab caches with per-CPU magazines: what kmalloc is. */
extern const struct heap_design heap_design_slab;

/* Two-level segregated fit (Masmano et al., ECRTS 2004): one heap of split and merged blocks under one lock. */
extern const struct heap_design heap_design_tlsf;
