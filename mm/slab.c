/* slab_alloc and slab_free: the fast path for a named cache. */
#include "slab_fast.h"

void *slab_alloc(struct slab_cache *cache, unsigned flags)
{
    if (LIKELY(cache->poison_words == SLAB_FAST_POISON_WORDS))
        return slab_take(cache, cache->requested_size, flags, __builtin_return_address(0), SLAB_FAST_POISON_WORDS);
    return slab_take(cache, cache->requested_size, flags, __builtin_return_address(0), cache->poison_words);
}

void slab_free(struct slab_cache *cache, void *object)
{
    struct page *page = page_of_address(object);

    if (UNLIKELY(!page || page->owner != PAGE_SLAB || page->cache != cache)) {
        if (object)
            slab_report_bad_free(cache, object, __builtin_return_address(0));
        return;
    }
    if (LIKELY(cache->poison_words == SLAB_FAST_POISON_WORDS))
        slab_give(cache, object, __builtin_return_address(0), SLAB_FAST_POISON_WORDS);
    else
        slab_give(cache, object, __builtin_return_address(0), cache->poison_words);
}
