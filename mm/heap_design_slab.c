#include <mm/heap_design.h>
#include <mm/kmalloc.h>
#include <mm/slab.h>

#include "kmalloc_large.h"

static uint64_t pages(void)
{
    return slab_counts().pages + large_pages();
}

const struct heap_design heap_design_slab = {"slab", kmalloc, kfree, slab_reap, pages};
