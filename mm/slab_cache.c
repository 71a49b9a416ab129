/* The list of caches: making and destroying them, and what goes over all of them. */
#include <base/errno.h>

#include "slab_fast.h"

struct list slab_caches = LIST_INITIALIZER(slab_caches); /* [slab_caches_lock] */
struct spinlock slab_caches_lock = SPINLOCK_INITIALIZER("slab caches");

static struct slab_cache cache_cache; /* [its own lock] of struct slab_cache */

void slab_caches_init(void)
{
    list_init(&slab_caches);
    magazines_init();
    int error = slab_cache_register(&cache_cache, "slab_cache", sizeof(struct slab_cache), 1, 0);

    ASSERT(error == 0);
}

int slab_cache_register(struct slab_cache *cache, const char *name, size_t size, size_t alignment, unsigned alloc_flags)
{
    int error = slab_cache_init(cache, name, size, alignment, alloc_flags);
    uint64_t flags;

    if (error)
        return error;
    flags = spinlock_lock_irqsave(&slab_caches_lock);
    if (cache != &slab_magazine_cache) /* magazines come from it */
        cache->magazine_index = magazine_index_take_locked();
    cache->slot = magazine_slots + cache->magazine_index;
    list_add_last(&slab_caches, &cache->link);
    spinlock_unlock_irqrestore(&slab_caches_lock, flags);
    if (cache->magazine_index)
        magazine_create(cache);
    return 0;
}

struct slab_cache *slab_cache_create(const char *name, size_t size, size_t alignment, unsigned alloc_flags)
{
    struct slab_cache *cache =
        slab_take(&cache_cache, sizeof(*cache), 0, __builtin_return_address(0), cache_cache.poison_words);

    if (!cache)
        return NULL;
    if (slab_cache_register(cache, name, size, alignment, alloc_flags) != 0) {
        slab_give(&cache_cache, cache, __builtin_return_address(0), cache_cache.poison_words);
        return NULL;
    }
    return cache;
}

uint64_t slab_objects_in_use_locked(struct slab_cache *cache, uint64_t *in_magazines)
{
    struct list *const lists[] = {&cache->partial, &cache->full};
    struct magazine *magazine;
    struct page *page;
    uint64_t taken = 0, cached = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(lists); i++) {
        list_for_each_entry (page, lists[i], link)
            taken += page->in_use;
    }
    list_for_each_entry (magazine, &cache->magazines, link)
        cached += READ_ONCE(magazine->slot->count);
    cached += __atomic_load_n(&cache->nr_quarantined, __ATOMIC_RELAXED); /* as the magazines: exact when nothing runs */
    if (in_magazines)
        *in_magazines = cached;
    return taken - cached;
}

int slab_cache_destroy(struct slab_cache *cache)
{
    struct list slabs = LIST_INITIALIZER(slabs), magazines = LIST_INITIALIZER(magazines);
    struct heap_fault fault = {0};
    uint64_t flags;
    bool is_busy;

    quarantine_drain();
    flags = spinlock_lock_irqsave(&slab_caches_lock);

    spinlock_lock(&cache->lock);
    is_busy = slab_objects_in_use_locked(cache, NULL) != 0;
    if (!is_busy) {
        magazine_collect_all_locked(cache, &magazines, &fault);
        slab_collect_empty_locked(cache, 0, &slabs);
        list_remove(&cache->link);
        magazine_index_give_back_locked(cache->magazine_index);
    }
    spinlock_unlock(&cache->lock);
    spinlock_unlock_irqrestore(&slab_caches_lock, flags);
    if (is_busy)
        return -EBUSY;
    if (fault.class_words)
        heap_fault_report(&fault);
    slab_destroy_chain(&slabs);
    magazine_free_chain(&magazines);
    slab_give(&cache_cache, cache, __builtin_return_address(0), cache_cache.poison_words);
    return 0;
}

struct slab_cache *slab_cache_nth_locked(unsigned n)
{
    struct slab_cache *cache;

    list_for_each_entry (cache, &slab_caches, link) {
        if (n-- == 0)
            return cache;
    }
    return NULL;
}

uint64_t slab_reap(void)
{
    struct list chain = LIST_INITIALIZER(chain), magazines = LIST_INITIALIZER(magazines);
    struct heap_fault fault = {0};
    struct slab_cache *cache;
    uint64_t flags;

    quarantine_drain();
    flags = spinlock_lock_irqsave(&slab_caches_lock);
    list_for_each_entry (cache, &slab_caches, link) {
        spinlock_lock(&cache->lock);
        magazine_collect_own_locked(cache, &magazines, &fault);
        slab_collect_empty_locked(cache, 0, &chain);
        spinlock_unlock(&cache->lock);
        if (fault.class_words)
            break;
    }
    spinlock_unlock_irqrestore(&slab_caches_lock, flags);
    if (fault.class_words)
        heap_fault_report(&fault);
    magazine_free_chain(&magazines);
    quarantine_drain(); /* the magazines */
    flags = spinlock_lock_irqsave(&slab_magazine_cache.lock);
    slab_collect_empty_locked(&slab_magazine_cache, 0, &chain);
    spinlock_unlock_irqrestore(&slab_magazine_cache.lock, flags);
    return slab_destroy_chain(&chain);
}

bool slab_statistics(unsigned n, struct slab_statistics *statistics)
{
    uint64_t flags = spinlock_lock_irqsave(&slab_caches_lock);
    struct slab_cache *cache = slab_cache_nth_locked(n);

    if (cache) {
        spinlock_lock(&cache->lock);
        *statistics = (struct slab_statistics){
            .name = cache->name,
            .object_bytes = cache->object_size,
            .stride_bytes = cache->stride,
            .slab_bytes = cache->slab_bytes,
            .objects_per_slab = cache->objects_per_slab,
            .slabs = cache->nr_slabs,
        };
        statistics->in_use = slab_objects_in_use_locked(cache, &statistics->magazines);
        statistics->free =
            statistics->slabs * statistics->objects_per_slab - statistics->in_use - statistics->magazines;
        spinlock_unlock(&cache->lock);
    }
    spinlock_unlock_irqrestore(&slab_caches_lock, flags);
    return cache != NULL;
}

struct slab_counts slab_counts(void)
{
    struct slab_counts counts = {0};
    struct slab_cache *cache;
    uint64_t flags = spinlock_lock_irqsave(&slab_caches_lock);

    list_for_each_entry (cache, &slab_caches, link) {
        spinlock_lock(&cache->lock);
        if (cache != &slab_magazine_cache)
            counts.objects += slab_objects_in_use_locked(cache, NULL);
        counts.pages += (uint64_t)cache->nr_slabs << cache->order;
        spinlock_unlock(&cache->lock);
    }
    spinlock_unlock_irqrestore(&slab_caches_lock, flags);
    return counts;
}
