/* Binary buddy allocator over struct page: blocks of 2^order naturally aligned frames, one list of free blocks an
 * order. No locking of its own: the caller holds the lock of the zone a struct buddy belongs to. Context: any. */
#pragma once

#include <base/address.h>
#include <base/compiler.h>
#include <lib/list.h>
#include <mm/audit.h>
#include <mm/page.h>
#include <mm/page_alloc.h>

struct buddy {
    pfn_t first, end;                       /* [I] the frames it may hold; blocks do not merge across */
    uint32_t orders_free;                   /* a bit for each list that is not empty */
    uint64_t nr_free;                       /* pages */
    uint64_t nr_blocks[PAGE_ORDER_MAX + 1]; /* on each list */
    struct list free[PAGE_ORDER_MAX + 1];   /* first pages of the free blocks, by page.link */
};

void buddy_init(struct buddy *buddy, pfn_t first, pfn_t end);

/* Takes a block, splitting a larger one where none of this order is free. Returns its first page, or NULL. All its
 * pages still say PAGE_FREE and PAGE_ORDER_TAIL: the caller marks them. O(1) in the number of free pages. */
MUST_CHECK struct page *buddy_take(struct buddy *buddy, unsigned order);

/* Puts a block back and merges it with its free neighbours. The caller has marked all its pages PAGE_FREE and
 * PAGE_ORDER_TAIL. O(1) in the number of free pages. */
void buddy_give(struct buddy *buddy, struct page *page, unsigned order);

/* Puts frames first to end - 1 in, in the largest blocks alignment allows; marked as for buddy_give. */
void buddy_give_range(struct buddy *buddy, pfn_t first, pfn_t end);

/* Checks every list: links, owner, order, alignment, bounds, counts, and that no two free halves were left unmerged. */
void buddy_audit(const struct buddy *buddy, const char *name, struct audit_report *report);
