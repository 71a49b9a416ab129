/* A large allocation remembers the requested size in its first struct page; where the block of pages has room behind
 * the last requested byte, redzone words stand there. */
#include "kmalloc_large.h"

#include <base/align.h>
#include <base/assert.h>
#include <lib/string.h>
#include <mm/fail_inject.h>
#include <mm/heap_report.h>
#include <mm/kmalloc.h>
#include <mm/page_alloc.h>

#include "slab_internal.h"

#define REDZONE_BYTES 64u /* at most, behind the object */

static uint64_t pages_held; /* [a] */

static unsigned order_of(size_t size)
{
    unsigned order = 0;

    while ((PAGE_SIZE << order) < size)
        order++;
    return order;
}

static uint64_t redzone_bytes(const struct page *page)
{
    uint64_t slack = (PAGE_SIZE << page->order) - large_size(page);

    return slack < REDZONE_BYTES ? slack : REDZONE_BYTES;
}

static uint8_t redzone_byte(uint64_t offset)
{
    return (uint8_t)(HEAP_REDZONE >> 8 * (offset % sizeof(uint64_t)));
}

void *kmalloc_large(size_t size, unsigned flags, const void *site)
{
    struct page *page;
    uint8_t *object;
    unsigned order;

    if (size == 0 || size > KMALLOC_MAX || fail_inject(FAIL_SLAB))
        return NULL;
    order = order_of(size);
    page = page_alloc(order, PAGE_LARGE, flags & ALLOC_DMA32);
    if (!page && slab_reap())
        page = page_alloc(order, PAGE_LARGE, flags & ALLOC_DMA32);
    if (!page)
        return NULL;
    page->private_data = size | (uint64_t)code_site(site) << 32;
    object = page_to_address(page);
    for (uint64_t i = 0; i < redzone_bytes(page); i++)
        object[size + i] = redzone_byte(i);
    kasan_poison(object, PAGE_SIZE << order, KASAN_LARGE_REDZONE);
    kasan_unpoison(object, size);
    __atomic_add_fetch(&pages_held, (uint64_t)1 << order, __ATOMIC_RELAXED); /* a counter: orders nothing */
    if (flags & ALLOC_ZERO)
        memset(object, 0, size);
    return object;
}

struct page *large_first_page(struct page *page)
{
    pfn_t frame = page_to_pfn(page);

    for (unsigned order = 0; order <= PAGE_ORDER_MAX; order++) {
        struct page *first = page_of_pfn(pfn(align_down(frame.number, (uint64_t)1 << order)));

        if (!first || first->owner != PAGE_LARGE)
            return NULL;
        if (first->private_data && first->order >= order)
            return first;
    }
    return NULL;
}

static void describe_large(struct heap_fault *fault, const struct page *page, const void *site)
{
    *fault = (struct heap_fault){
        .class_words = HEAP_MIDDLE_OF_OBJECT,
        .cache_name = "large",
        .object = page_to_address(page),
        .size = large_size(page),
        .allocated_at = large_site(page),
        .freed_again_at = code_site(site),
    };
}

void kfree_large(struct page *page, void *object, const void *site)
{
    struct page *first = large_first_page(page);
    unsigned order;
    struct heap_fault fault;

    if (!first)
        slab_report_bad_free(NULL, object, site);
    if (object != page_to_address(first)) {
        describe_large(&fault, first, site);
        fault.offset = (uint64_t)((char *)object - (char *)page_to_address(first));
        heap_fault_report(&fault);
    }
    for (uint64_t i = 0; i < redzone_bytes(first); i++) {
        const uint8_t *byte = (const uint8_t *)object + large_size(first) + i;

        if (LIKELY(*byte == redzone_byte(i)))
            continue;
        describe_large(&fault, first, site);
        fault.class_words = HEAP_REDZONE_OVERWRITTEN;
        for (uint64_t j = redzone_bytes(first); j-- > i;)
            fault.nr_bytes += ((const uint8_t *)object)[large_size(first) + j] != redzone_byte(j);
        fault.offset = large_size(first) + i;
        fault.found = *byte;
        fault.expected = redzone_byte(i);
        heap_fault_report(&fault);
    }
    order = first->order;
    __atomic_sub_fetch(&pages_held, (uint64_t)1 << order, __ATOMIC_RELAXED);
    first->private_data = 0;
    page_free(first, order);
}

uint64_t large_pages(void)
{
    return __atomic_load_n(&pages_held, __ATOMIC_RELAXED);
}
