/* The idle scrubber: looks at free objects while there is nothing to do, so that a write after free is found even where
 * the object is never handed out again. */
#include "slab_internal.h"

/* [slab_caches_lock] where the scrubber is: the cache's place in the list, and how many of its slabs are still to be
 * looked at. Caches that come and go meanwhile make it look at one twice or in the next round. */
static unsigned current_cache;
static uint32_t slabs_left; /* [slab_caches_lock] */

/* Free objects of one slab, along its free list. */
static void scrub_slab_locked(const struct slab_cache *cache, struct page *page, struct heap_fault *fault)
{
    void *base = page_to_address(page), *object, *next;
    const uint64_t *link = &slab_header(cache, base)->free;

    if (!slab_check_header(cache, base, fault) || !slab_follow_link(cache, base, link, &object, fault))
        return;
    for (unsigned left = cache->objects_per_slab; object && left; left--) {
        if (!slab_follow_link(cache, base, &object_trailer(cache, object)->link, &next, fault) ||
            !slab_check_free_object(cache, object, object_trailer(cache, object)->link, fault))
            return;
        object = next;
    }
}

static void scrub_magazine_locked(const struct slab_cache *cache, struct heap_fault *fault)
{
    const struct magazine_slot *slot = this_cpu_pointer(*cache->slot);

    for (uint32_t i = 0; i < slot->count; i++) {
        if (!slab_check_cached_object(cache, slot->rounds[i], fault))
            return;
    }
}

/* The next slab with free objects, turned to the end of its list. */
static struct page *next_slab_locked(struct slab_cache *cache)
{
    struct list *const lists[] = {&cache->partial, &cache->empty};

    for (unsigned i = 0; i < ARRAY_SIZE(lists); i++) {
        struct list *link = list_first(lists[i]);

        if (!link || (i == 0 && slabs_left <= cache->nr_empty && cache->nr_empty))
            continue;
        list_remove(link);
        list_add_last(lists[i], link);
        return list_entry(link, struct page, link);
    }
    return NULL;
}

/* [slab_caches_lock] */
static void scrub_next_locked(struct heap_fault *fault)
{
    struct slab_cache *cache = slab_cache_nth_locked(current_cache);
    struct page *page;

    if (!cache) {
        current_cache = 0;
        slabs_left = 0;
        return;
    }
    spinlock_lock(&cache->lock);
    if (slabs_left == 0) { /* just come to this cache */
        scrub_magazine_locked(cache, fault);
        slabs_left = cache->nr_slabs + 1;
    }
    if (!fault->class_words && (page = next_slab_locked(cache)))
        scrub_slab_locked(cache, page, fault);
    if (--slabs_left == 0)
        current_cache++;
    spinlock_unlock(&cache->lock);
}

void slab_scrub(void)
{
    struct heap_fault fault = {0};
    uint64_t flags = irq_save();

    if (spinlock_try_lock(&slab_caches_lock)) { /* an idle CPU does not wait, least of all for another scrubber */
        scrub_next_locked(&fault);
        spinlock_unlock(&slab_caches_lock);
    }
    irq_restore(flags);
    if (fault.class_words)
        heap_fault_report(&fault);
}
