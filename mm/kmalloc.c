/* kmalloc over slab caches of fifteen sizes; what no cache holds comes in whole pages (kmalloc_large.c).
 *
 * A request of a power of two must be aligned to its size, and a redzone must follow it: so its class has a stride of
 * twice the size, and the larger requests that fit use the same class. In between lie classes for sizes that are no
 * power of two. docs/allocator-designs.md has what this costs. */
#include <mm/page_alloc.h>

#include "kmalloc_init.h"
#include "kmalloc_large.h"
#include "slab_fast.h"

#define GRANULE 16u /* sizes are looked up in steps of this */

static const struct {
    const char *name, *dma32_name;
    uint16_t size, alignment;
} classes[] = {
    {"kmalloc-16", "kmalloc-dma32-16", 16, 16},         {"kmalloc-48", "kmalloc-dma32-48", 48, 32},
    {"kmalloc-80", "kmalloc-dma32-80", 80, 16},         {"kmalloc-112", "kmalloc-dma32-112", 112, 64},
    {"kmalloc-176", "kmalloc-dma32-176", 176, 16},      {"kmalloc-240", "kmalloc-dma32-240", 240, 128},
    {"kmalloc-368", "kmalloc-dma32-368", 368, 16},      {"kmalloc-496", "kmalloc-dma32-496", 496, 256},
    {"kmalloc-752", "kmalloc-dma32-752", 752, 16},      {"kmalloc-992", "kmalloc-dma32-992", 992, 512},
    {"kmalloc-1504", "kmalloc-dma32-1504", 1504, 16},   {"kmalloc-2016", "kmalloc-dma32-2016", 2016, 1024},
    {"kmalloc-3040", "kmalloc-dma32-3040", 3040, 16},   {"kmalloc-4064", "kmalloc-dma32-4064", 4064, 2048},
    {"kmalloc-4096", "kmalloc-dma32-4096", 4096, 4096},
};

static struct slab_cache normal_caches[ARRAY_SIZE(classes)], dma32_caches[ARRAY_SIZE(classes)];

/* [I] by (size + GRANULE - 1) / GRANULE */
static struct slab_cache *normal_of_size[KMALLOC_SLAB_MAX / GRANULE + 1];
static struct slab_cache *dma32_of_size[KMALLOC_SLAB_MAX / GRANULE + 1];

static INIT void class_table_init(void)
{
    for (size_t i = 1; i < ARRAY_SIZE(normal_of_size); i++) {
        size_t size = i * GRANULE, alignment = is_power_of_two(size) ? size : GRANULE;
        unsigned class = 0;

        while (classes[class].size < size || classes[class].alignment < alignment)
            class ++;
        normal_of_size[i] = &normal_caches[class];
        dma32_of_size[i] = &dma32_caches[class];
    }
}

int kmalloc_init(void)
{
    class_table_init();
    slab_caches_init();
    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        int error = slab_cache_register(&normal_caches[i], classes[i].name, classes[i].size, classes[i].alignment, 0);

        if (!error)
            error = slab_cache_register(&dma32_caches[i], classes[i].dma32_name, classes[i].size, classes[i].alignment,
                                        ALLOC_DMA32);
        if (error)
            return error;
        normal_caches[i].is_kmalloc = dma32_caches[i].is_kmalloc = true;
    }
    return 0;
}

void *kmalloc(size_t size, unsigned flags)
{
    size_t granules = (size + GRANULE - 1) / GRANULE;

    if (UNLIKELY(size - 1 >= KMALLOC_SLAB_MAX)) /* 0 too */
        return kmalloc_large(size, flags, __builtin_return_address(0));
    if (UNLIKELY(flags & ALLOC_DMA32))
        return slab_take_slow(dma32_of_size[granules], size, flags, __builtin_return_address(0));
    return slab_take(normal_of_size[granules], size, flags, __builtin_return_address(0));
}

/* Not a kmalloc slab object: NULL, a large allocation, or a mistake. */
static NOINLINE void kfree_other(struct page *page, void *object, const void *site)
{
    if (!object)
        return;
    if (page && page->owner == PAGE_LARGE)
        kfree_large(page, object, site);
    else
        slab_report_bad_free(NULL, object, site);
}

void kfree(void *object)
{
    struct page *page = page_of_address(object);

    if (LIKELY(page && page->owner == PAGE_SLAB && page->cache->is_kmalloc))
        slab_give(page->cache, object, __builtin_return_address(0));
    else
        kfree_other(page, object, __builtin_return_address(0));
}
