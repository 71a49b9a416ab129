/* The audit of the heap: every list, slab, free list, object and magazine (invariants 1 to 3 of slab_internal.h). */
#include <mm/audit.h>
#include <mm/heap_audit.h>

#include "kmalloc_large.h"
#include "slab_internal.h"

/* Objects of one cache, by what they say themselves. */
struct tally {
    uint64_t slabs, in_lists, free; /* free: state free, on a list or in a magazine */
};

static void audit_object(const struct slab_cache *cache, void *object, struct tally *tally, struct audit_report *report)
{
    struct heap_fault fault;

    if (!is_state_free(object_trailer(cache, object)->state)) {
        if (!slab_check_used_object(cache, object, &fault))
            audit_violation(report, "%s: object %p: %s", cache->name, object, fault.class_words);
        return;
    }
    tally->free++;
    for (uint32_t i = 0; i < cache->poison_words; i++) {
        if (((const uint64_t *)object)[i] != HEAP_POISON_FREE) {
            audit_violation(report, "%s: object %p: %s at %u", cache->name, object, HEAP_USE_AFTER_FREE_WRITE,
                            i * (unsigned)sizeof(uint64_t));
            return;
        }
    }
}

/* Length of the slab's free list, which must not be broken. */
static uint64_t audit_free_list(const struct slab_cache *cache, void *base, struct audit_report *report)
{
    const uint64_t *link = &slab_header(cache, base)->free;
    struct heap_fault fault;
    uint64_t length = 0;
    void *object;

    if (!slab_check_header(cache, base, &fault)) {
        audit_violation(report, "%s: slab %p: header overwritten", cache->name, base);
        return 0;
    }
    for (;;) {
        if (!slab_follow_link(cache, base, link, &object, &fault)) {
            audit_violation(report, "%s: slab %p: %s", cache->name, base, fault.class_words);
            return length;
        }
        if (!object)
            return length;
        if (++length > cache->objects_per_slab) {
            audit_violation(report, "%s: slab %p: free list without an end", cache->name, base);
            return length;
        }
        link = &object_trailer(cache, object)->link;
    }
}

static void audit_slab(const struct slab_cache *cache, struct page *page, struct tally *tally,
                       struct audit_report *report)
{
    void *base = page_to_address(page);
    uint64_t listed = audit_free_list(cache, base, report);

    for (size_t i = 0; i < cache->slab_bytes >> PAGE_SHIFT; i++) {
        if (page[i].owner != PAGE_SLAB || page[i].cache != cache)
            audit_violation(report, "%s: slab %p: page %zu is not the cache's", cache->name, base, i);
    }
    if (listed + page->in_use != cache->objects_per_slab)
        audit_violation(report, "%s: slab %p: %lu free, %u in use of %u", cache->name, base, (unsigned long)listed,
                        page->in_use, cache->objects_per_slab);
    for (uint32_t i = 0; i < cache->objects_per_slab; i++)
        audit_object(cache, (char *)base + (size_t)i * cache->stride, tally, report);
    tally->slabs++;
    tally->in_lists += listed;
}

/* which: 0 empty, 1 partial, 2 full */
static void audit_list(const struct slab_cache *cache, const struct list *list, unsigned which, struct tally *tally,
                       struct audit_report *report)
{
    struct page *page;

    list_for_each_entry (page, list, link) {
        unsigned belongs = page->in_use == 0 ? 0 : page->in_use == cache->objects_per_slab ? 2 : 1;

        if (tally->slabs > cache->nr_slabs || page->link.next->prev != &page->link) {
            audit_violation(report, "%s: a list of slabs is broken", cache->name);
            return;
        }
        if (belongs != which)
            audit_violation(report, "%s: slab %p is in the wrong list", cache->name, page_to_address(page));
        audit_slab(cache, page, tally, report);
    }
}

static uint64_t audit_magazines(const struct slab_cache *cache, struct audit_report *report)
{
    struct magazine *magazine;
    uint64_t count = 0;

    list_for_each_entry (magazine, &cache->magazines, link) {
        for (uint32_t i = 0; i < magazine->slot->count; i++) {
            void *object = magazine->slot->rounds[i];
            struct page *page = page_of_address(object);
            struct heap_fault fault;

            if (!page || page->owner != PAGE_SLAB || page->cache != cache)
                audit_violation(report, "%s: magazine of CPU %u holds %p, not the cache's", cache->name, magazine->cpu,
                                object);
            else if (!slab_check_cached_object(cache, object, &fault))
                audit_violation(report, "%s: magazine of CPU %u: object %p: %s", cache->name, magazine->cpu, object,
                                fault.class_words);
        }
        count += magazine->slot->count;
    }
    return count;
}

static void audit_cache_locked(const struct slab_cache *cache, struct audit_report *report)
{
    struct tally tally = {0};
    uint64_t in_magazines = audit_magazines(cache, report);
    uint64_t quarantined = __atomic_load_n(&cache->nr_quarantined, __ATOMIC_RELAXED); /* exact when nothing else runs */

    audit_list(cache, &cache->empty, 0, &tally, report);
    audit_list(cache, &cache->partial, 1, &tally, report);
    audit_list(cache, &cache->full, 2, &tally, report);
    if (tally.slabs != cache->nr_slabs)
        audit_violation(report, "%s: %lu slabs in lists, counted as %u", cache->name, (unsigned long)tally.slabs,
                        cache->nr_slabs);
    if (tally.free != tally.in_lists + in_magazines + quarantined)
        audit_violation(report, "%s: %lu free objects, %lu in free lists, %lu in magazines, %lu in quarantine",
                        cache->name, (unsigned long)tally.free, (unsigned long)tally.in_lists,
                        (unsigned long)in_magazines, (unsigned long)quarantined);
    audit_account(report, PAGE_SLAB, tally.slabs << cache->order);
}

static void run(struct audit_report *report)
{
    uint64_t flags = spinlock_lock_irqsave(&slab_caches_lock);
    struct slab_cache *cache;

    list_for_each_entry (cache, &slab_caches, link) {
        spinlock_lock(&cache->lock);
        audit_cache_locked(cache, report);
        spinlock_unlock(&cache->lock);
    }
    spinlock_unlock_irqrestore(&slab_caches_lock, flags);
    audit_account(report, PAGE_LARGE, large_pages());
}

struct audit heap_audit = {.name = "heap", .run = run};
