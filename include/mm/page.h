/* One struct page for each frame of RAM, at PAGE_ARRAY_BASE by frame number. Frames that are no RAM have none mapped. */
#pragma once

#include <base/address.h>
#include <base/assert.h>
#include <base/layout.h>
#include <base/types.h>
#include <lib/list.h>

enum page_owner {
    PAGE_RESERVED,   /* firmware's, or never usable */
    PAGE_FREE,       /* in the buddy allocator (or a CPU's list of single pages) */
    PAGE_KERNEL,     /* the kernel image, boot-time data that stays */
    PAGE_PAGE_TABLE, /* a page table; references counts its present entries */
    PAGE_SLAB,       /* cache is its slab cache */
    PAGE_LARGE,      /* a kmalloc larger than any slab cache */
    PAGE_VMALLOC,    /* mapped by vmalloc */
    PAGE_STACK,      /* of a kernel stack */
    PAGE_PRIVATE,    /* page_alloc caller's own use */
};

struct slab_cache;

/* [p] the owner's lock: the zone's for PAGE_FREE, the cache's for PAGE_SLAB, the allocation's owner's else. */
struct page {
    struct list link; /* [p] */
    union {
        struct slab_cache *cache; /* [p] PAGE_SLAB */
        uint64_t private_data;    /* [p] others */
    };
    uint32_t references; /* [a] 0 when free */
    uint8_t owner;       /* [p] enum page_owner */
    uint8_t order;       /* [p] log2 of the block's pages; of its first page only */
    uint16_t in_use;     /* [p] PAGE_SLAB: objects handed out */
};

static_assert(sizeof(struct page) == 32, "512 MiB of RAM cost 4 MiB of struct page");
