/* kmalloc above the largest slab class: whole blocks of pages, owner PAGE_LARGE. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <mm/audit.h>
#include <mm/page.h>

#define KMALLOC_SLAB_MAX 4096u

/* The first page's private_data; that of the others is 0. */
static inline uint64_t large_size(const struct page *page)
{
    return page->private_data & 0xffffffff;
}

static inline uint32_t large_site(const struct page *page)
{
    return (uint32_t)(page->private_data >> 32);
}

MUST_CHECK void *kmalloc_large(size_t size, unsigned flags, const void *site);
void kfree_large(struct page *page, void *object, const void *site);

/* The first page of the large allocation that this page is of, or NULL. */
struct page *large_first_page(struct page *page);

uint64_t large_pages(void); /* pages held by all of them */
