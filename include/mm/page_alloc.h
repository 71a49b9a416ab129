/* Physical pages, in blocks of 2^order, from the buddy allocator: zones below 1 MiB (LOW), below 4 GiB (DMA32) and
 * above (NORMAL), per-CPU lists of single pages in front. */
#pragma once

#include <base/address.h>
#include <base/compiler.h>
#include <mm/kmalloc.h> /* ALLOC_* */
#include <mm/page.h>
#include <mm/page_array.h>

#define PAGE_ORDER_MAX 10u /* 4 MiB */

/* Further allocation flag: below 1 MiB, where real-mode code must lie. Other requests take such pages last. */
#define ALLOC_LOW (1u << 8)

/* Returns the first struct page of 2^order contiguous, naturally aligned frames with references 1 and this owner, or
 * NULL when there are none or order is above PAGE_ORDER_MAX. The caller owns them until page_free. Context: any but NMI
 * and machine check. */
MUST_CHECK struct page *page_alloc(unsigned order, enum page_owner owner, unsigned alloc_flags);

/* Gives back what page_alloc returned, with the same order and references 1; freeing twice, a page never handed out, or
 * with another order ends in a report. Context: any but NMI and machine check. */
void page_free(struct page *page, unsigned order);

struct page_counts {
    uint64_t total; /* pages the allocator has ever been given */
    uint64_t free;  /* per-CPU lists included: exact when nothing else runs */
};
struct page_counts page_counts(void);
