/* slab_alloc and slab_free: the fast path for a named cache. */
#include "slab_fast.h"

void *slab_alloc(struct slab_cache *cache, unsigned flags)
{
    return slab_take(cache, cache->requested_size, flags, __builtin_return_address(0));
}

void slab_free(struct slab_cache *cache, void *object)
{
    struct page *page;

    if (!object)
        return;
    page = page_of_address(object);
    if (UNLIKELY(!page || page->owner != PAGE_SLAB || page->cache != cache))
        slab_report_bad_free(cache, object, __builtin_return_address(0));
    slab_give(cache, object, __builtin_return_address(0));
}
