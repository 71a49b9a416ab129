/* kmalloc over slab caches of fifteen sizes; what no cache holds comes in whole pages (kmalloc_large.c).
 *
 * A request of a power of two must be aligned to its size, and a redzone must follow it: so its class has a stride of
 * twice the size, and the larger requests that fit use the same class. In between lie classes for sizes that are no
 * power of two. docs/allocator-designs.md has what this costs. */
#include <mm/page_alloc.h>

#include "kmalloc_init.h"
#include "kmalloc_large.h"
#include "slab_fast.h"

#define GRANULE   16u /* sizes are looked up in steps of this */
#define SMALL_MAX 48u /* classes up to here are too small for SLAB_POISON_BYTES of poison */

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
static struct slab_cache *dma32_of_size[KMALLOC_SLAB_MAX / GRANULE + 1]; /* [I] */

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

static INIT void kmalloc_mark(struct slab_cache *cache)
{
    cache->is_kmalloc = true;
    cache->is_fast_kmalloc = cache->poison_words == SLAB_FAST_POISON_WORDS;
    ASSERT(CONFIG_DEBUG || cache->is_fast_kmalloc == (cache->object_size > SMALL_MAX));
}

INIT int kmalloc_init(void)
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
        kmalloc_mark(&normal_caches[i]);
        kmalloc_mark(&dma32_caches[i]);
    }
    return 0;
}

/* The rest of kmalloc: what is small, or large, or below 4 GiB. Also all of it in a debug build, which poisons more. */
static NOINLINE void *kmalloc_other(size_t size, unsigned flags, const void *site)
{
    struct slab_cache *const *of_size = flags & ALLOC_DMA32 ? dma32_of_size : normal_of_size;
    struct slab_cache *cache;

    if (size - 1 >= KMALLOC_SLAB_MAX) /* 0 too */
        return kmalloc_large(size, flags, site);
    cache = of_size[(size + GRANULE - 1) / GRANULE];
    return slab_take(cache, size, flags, site, cache->poison_words);
}

void *kmalloc(size_t size, unsigned flags)
{
    if (CONFIG_DEBUG || UNLIKELY(size - SMALL_MAX - 1 >= KMALLOC_SLAB_MAX - SMALL_MAX || flags & ALLOC_DMA32))
        return kmalloc_other(size, flags, __builtin_return_address(0));
    /* By pointer: the subscript was checked one line above, and -fsanitize=bounds would do so again. */
    return slab_take(*(normal_of_size + (size + GRANULE - 1) / GRANULE), size, flags, __builtin_return_address(0),
                     SLAB_FAST_POISON_WORDS);
}

/* The rest of kfree: NULL, an object that is small or large, or a mistake. */
static NOINLINE void kfree_other(struct page *page, void *object, const void *site)
{
    if (!object)
        return;
    if (page && page->owner == PAGE_SLAB && page->cache->is_kmalloc)
        slab_give(page->cache, object, site, page->cache->poison_words);
    else if (page && page->owner == PAGE_LARGE)
        kfree_large(page, object, site);
    else
        slab_report_bad_free(NULL, object, site);
}

void kfree(void *object)
{
    struct page *page = page_of_address(object);

    if (LIKELY(page && page->owner == PAGE_SLAB && page->cache->is_fast_kmalloc))
        slab_give(page->cache, object, __builtin_return_address(0), SLAB_FAST_POISON_WORDS);
    else
        kfree_other(page, object, __builtin_return_address(0));
}
