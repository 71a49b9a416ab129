/* Page tables from the host's page allocator, of which a test decides how many there are. */
#pragma once

#include <base/errno.h>
#include <mm/page_alloc.h>

static uint64_t tables_left; /* until table_alloc fails */

static int table_alloc(paddr_t *table)
{
    struct page *page = tables_left > 0 ? page_alloc(0, PAGE_PAGE_TABLE, ALLOC_ZERO) : NULL;

    if (!page)
        return -ENOMEM;
    tables_left--;
    page->references = 0;
    *table = pfn_to_paddr(page_to_pfn(page));
    return 0;
}
