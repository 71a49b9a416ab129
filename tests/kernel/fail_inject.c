/* A workload of everything that allocates, run again and again with the first, the second, the third ... allocation
 * failing, until one run has none left to fail: errors, no panic, and each time exactly the pages and objects of
 * before. */
#include <base/layout.h>
#include <debug/test.h>
#include <mm/fail_inject.h>
#include <mm/heap_design.h>
#include <mm/kmalloc.h>
#include <mm/page_alloc.h>
#include <mm/paging.h>
#include <mm/slab.h>
#include <mm/vmalloc.h>

#define OBJECTS 40

/* What a run got. */
static struct {
    void *objects[OBJECTS], *others[OBJECTS], *cached[OBJECTS];
    struct slab_cache *cache;
    struct page *page;
    void *area, *large_area, *stacks[3], *device;
} held;

/* 16 bytes to 128 KiB. */
static size_t size_of(unsigned i)
{
    return ((size_t)16 << i % 14) - i / 14;
}

static unsigned allocate_all(unsigned kinds)
{
    unsigned missing = 0;

    held.cache = slab_cache_create("test", 500, 64, 0);
    missing += !held.cache;
    for (unsigned i = 0; i < OBJECTS; i++) {
        missing += !(held.objects[i] = kmalloc(size_of(i), i % 2 ? ALLOC_ZERO : ALLOC_DMA32));
        missing += !(held.others[i] = heap_design_tlsf.alloc(size_of(i), ALLOC_NORMAL));
        missing += !(held.cached[i] = held.cache ? slab_alloc(held.cache, ALLOC_ZERO) : NULL);
    }
    missing += !(held.page = page_alloc(2, PAGE_PRIVATE, ALLOC_NORMAL));
    missing += !(held.area = vmalloc(3 * PAGE_SIZE, ALLOC_NORMAL));
    if (kinds == FAIL_ANY) /* of 1,024 pages, which FAIL_PAGE would count again; its own page table, wherever it lies */
        missing += !(held.large_area = vmalloc(2 * PAGE_SIZE_2M, ALLOC_NORMAL));
    for (unsigned i = 0; i < ARRAY_SIZE(held.stacks); i++)
        missing += !(held.stacks[i] = stack_alloc("test"));
    missing += !(held.device = device_map(paddr(0xfee00000), PAGE_SIZE, MAP_WRITE | MAP_UNCACHED));
    return missing;
}

static int free_all(void)
{
    for (unsigned i = 0; i < OBJECTS; i++) {
        kfree(held.objects[i]);
        heap_design_tlsf.free(held.others[i]);
        if (held.cache)
            slab_free(held.cache, held.cached[i]);
    }
    if (held.page)
        page_free(held.page, 2);
    vfree(held.area);
    vfree(held.large_area);
    held.large_area = NULL;
    for (unsigned i = 0; i < ARRAY_SIZE(held.stacks); i++)
        stack_free(held.stacks[i]);
    device_unmap(held.device);
    heap_design_tlsf.settle();
    return held.cache ? slab_cache_destroy(held.cache) : 0;
}

static uint64_t free_pages(void)
{
    slab_reap();
    return page_counts().free;
}

/* Walks every n for one set of kinds. */
static void walk(unsigned kinds)
{
    uint64_t pages = free_pages(), objects = slab_counts().objects;
    uint64_t nth = 0;
    bool has_failed = true;

    while (has_failed) {
        unsigned missing;

        fail_inject_arm(kinds, ++nth);
        missing = allocate_all(kinds);
        has_failed = fail_inject_disarm();
        EXPECT_EQ(free_all(), 0);
        EXPECT(has_failed || missing == 0);
        EXPECT_EQ(free_pages(), pages);
        EXPECT_EQ(slab_counts().objects, objects);
    }
    EXPECT(nth > 10);
}

KERNEL_TEST(fail_any, "fail_inject/every_nth_allocation_failing")
{
    walk(FAIL_ANY);
}

KERNEL_TEST(fail_page, "fail_inject/every_nth_page_failing")
{
    walk(FAIL_PAGE);
}
