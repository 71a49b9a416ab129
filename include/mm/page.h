/* One struct page for each frame of RAM, at PAGE_ARRAY_BASE by frame number. Frames that are no RAM have none mapped.
 */
#pragma once

#include <base/address.h>
#include <base/assert.h>
#include <base/layout.h>
#include <base/types.h>
#include <lib/list.h>

/* Every page of a block has its owner set, not only the first. */
enum page_owner {
    PAGE_RESERVED,   /* firmware's, or never usable */
    PAGE_FREE,       /* in the buddy allocator (or a CPU's list of single pages) */
    PAGE_KERNEL,     /* the kernel image, boot-time data that stays */
    PAGE_PAGE_TABLE, /* a page table; references counts its entries in use */
    PAGE_SLAB,       /* cache is its slab cache */
    PAGE_LARGE,      /* a kmalloc larger than any slab cache */
    PAGE_VMALLOC,    /* mapped by vmalloc */
    PAGE_STACK,      /* of a kernel stack */
    PAGE_SHADOW,     /* the address sanitizer's: the shadow of the vmalloc area, the quarantine */
    PAGE_PRIVATE,    /* page_alloc caller's own use */
    PAGE_OWNERS,     /* how many there are */
};

/* What the order of a page says when the page does not begin a block of that order. */
#define PAGE_ORDER_TAIL   0xffu /* inside a block, free or not, that an earlier page begins */
#define PAGE_ORDER_CACHED 0xfeu /* PAGE_FREE, in a CPU's list of single pages */

struct slab_cache;

/* [p] the owner's lock: the zone's for PAGE_FREE, the cache's for PAGE_SLAB, the kernel page tables' for
 * PAGE_PAGE_TABLE, the allocation's owner's else. */
struct page {
    struct list link; /* [p] */
    union {
        struct slab_cache *cache; /* [p] PAGE_SLAB */
        uint64_t private_data;    /* [p] others */
    };
    uint32_t references; /* [a] 0 when free, and in all but the first page of a block */
    union {
        struct {
            uint8_t owner; /* [p] enum page_owner */
            uint8_t order; /* [p] log2 of the block's pages in its first page; PAGE_ORDER_ in others */
        };
        uint16_t owner_and_order; /* [p] the zone, under its lock, looks at neighbours that are not its own */
    };
    uint16_t in_use; /* [p] PAGE_SLAB: objects handed out */
};

/* Both at once: between the two, a page that belongs to somebody would look like a free block of a zone to who gives
 * its neighbour back on another CPU. */
static inline void page_set_owner_and_order(struct page *page, enum page_owner owner, unsigned order)
{
    WRITE_ONCE(page->owner_and_order, (uint16_t)(owner | order << 8));
}

static inline bool page_is_free_block(const struct page *page, unsigned order)
{
    return READ_ONCE(page->owner_and_order) == (PAGE_FREE | order << 8);
}

static_assert(sizeof(struct page) == 32, "512 MiB of RAM cost 4 MiB of struct page");

/* "slab", "page table"; "?" for a number that is no owner. Context: any. */
const char *page_owner_name(unsigned owner);
