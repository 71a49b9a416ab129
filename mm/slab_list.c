/* Under the magazines: a cache's slabs, their free lists, growing and shrinking. */
#include <base/errno.h>
#include <cpu/random.h>
#include <lib/string.h>

#include "slab_fast.h"

/* The smallest order that holds eight objects, or wastes at most an eighth; the largest one otherwise. */
static unsigned choose_order(uint32_t occupied, uint32_t stride)
{
    for (unsigned order = 0; order < SLAB_ORDER_MAX; order++) {
        uint32_t usable = (uint32_t)(PAGE_SIZE << order) - sizeof(struct slab_header);

        if (usable >= occupied && (usable - occupied) / stride + 1 >= 8)
            return order;
    }
    return SLAB_ORDER_MAX;
}

int slab_cache_init(struct slab_cache *cache, const char *name, size_t size, size_t alignment, unsigned alloc_flags)
{
    uint32_t occupied;

    if (size == 0 || size > SLAB_OBJECT_MAX || !is_power_of_two(alignment) || alignment > PAGE_SIZE)
        return -EINVAL;
    alignment = alignment < SLAB_ALIGNMENT ? SLAB_ALIGNMENT : alignment;
    *cache = (struct slab_cache){
        .name = name,
        .secret = boot_random(),
        .object_size = (uint32_t)align_up(size, sizeof(uint64_t)),
        .requested_size = (uint32_t)size,
        .page_flags = (uint8_t)(alloc_flags & ALLOC_DMA32),
    };
    occupied = cache->object_size + (uint32_t)OBJECT_OVERHEAD;
    cache->stride = (uint32_t)align_up(occupied, alignment);
    cache->stride_reciprocal = (uint32_t)(((uint64_t)1 << 32) / cache->stride) + 1;
    cache->order = (uint8_t)choose_order(occupied, cache->stride);
    cache->slab_bytes = (uint32_t)(PAGE_SIZE << cache->order);
    cache->objects_per_slab = (cache->slab_bytes - (uint32_t)sizeof(struct slab_header) - occupied) / cache->stride + 1;
    cache->objects_bytes = cache->objects_per_slab * cache->stride;
    cache->poison_words = cache->object_size / sizeof(uint64_t);
    if (!CONFIG_DEBUG && cache->poison_words > SLAB_POISON_BYTES / sizeof(uint64_t))
        cache->poison_words = SLAB_POISON_BYTES / sizeof(uint64_t);
    cache->slot = magazine_slots;
    cache->magazine_rounds = cache->stride <= 256 ? MAGAZINE_ROUNDS_MAX : cache->stride <= 1024 ? 12 : 6;
    spinlock_init(&cache->lock, name);
    lockdep_set_class(&cache->lock.lockdep, "slab cache");
    list_init(&cache->partial);
    list_init(&cache->full);
    list_init(&cache->empty);
    list_init(&cache->magazines);
    cache->is_initialised = true;
    return 0;
}

/* A new slab: every object free, poisoned, linked in address order. */
static struct page *slab_create(struct slab_cache *cache)
{
    struct page *page = page_alloc(cache->order, PAGE_SLAB, cache->page_flags);
    struct slab_header *header;
    char *base, *next = NULL;

    if (!page)
        return NULL;
    for (uint32_t i = 0; i < cache->slab_bytes >> PAGE_SHIFT; i++)
        page[i].cache = cache;
    base = page_to_address(page);
    header = slab_header(cache, base);
    for (uint32_t i = cache->objects_per_slab; i-- > 0;) {
        char *object = base + (size_t)i * cache->stride;
        struct object_trailer *trailer = object_trailer(cache, object);

        slab_poison(object, cache->poison_words);
        if (SLAB_HAS_TRACES)
            *object_traces(cache, object) = (struct object_traces){0};
        *trailer = (struct object_trailer){link_encode(cache, &trailer->link, next), 0, STATE_FREE};
        next = object;
    }
    header->free = link_encode(cache, &header->free, next);
    header->check = cache->secret ^ (uint64_t)(uintptr_t)header;
    kasan_poison(base, cache->slab_bytes, KASAN_SLAB_REDZONE);
    return page;
}

/* Moves the slab to the list that its in_use asks for. */
static void slab_sort_locked(struct slab_cache *cache, struct page *page, unsigned in_use_before)
{
    unsigned all = cache->objects_per_slab, now = page->in_use;

    if ((in_use_before == 0) == (now == 0) && (in_use_before == all) == (now == all))
        return;
    list_remove(&page->link);
    cache->nr_empty -= in_use_before == 0;
    cache->nr_empty += now == 0;
    list_add_first(now == 0 ? &cache->empty : now == all ? &cache->full : &cache->partial, &page->link);
}

/* Takes the slab's first free object; it is then linked to nothing. NULL with fault filled where the list is
 * broken. */
static void *slab_pop_locked(struct slab_cache *cache, struct page *page, struct heap_fault *fault)
{
    void *base = page_to_address(page), *object, *next;
    struct slab_header *header = slab_header(cache, base);
    struct object_trailer *trailer;

    if (!slab_check_header(cache, base, fault) || !slab_follow_link(cache, base, &header->free, &object, fault))
        return NULL;
    if (!object) { /* the list is in_use short: something cut it */
        *fault = (struct heap_fault){.class_words = HEAP_FREE_LIST,
                                     .cache_name = cache->name,
                                     .object = base,
                                     .size = cache->slab_bytes,
                                     .offset = (uint64_t)((char *)&header->free - (char *)base),
                                     .found = header->free,
                                     .detail = "a slab's free list ends early"};
        return NULL;
    }
    trailer = object_trailer(cache, object);
    if (!slab_follow_link(cache, base, &trailer->link, &next, fault))
        return NULL;
    header->free = link_encode(cache, &header->free, next);
    trailer->link = link_of_none(cache, &trailer->link);
    page->in_use++;
    slab_sort_locked(cache, page, page->in_use - 1u);
    return object;
}

/* Gives a free object back to its slab. False with fault filled where the slab is broken. */
static bool slab_push_locked(struct slab_cache *cache, void *object, struct heap_fault *fault)
{
    void *base = slab_base(cache, object), *first;
    struct page *page = page_of_address(base);
    struct slab_header *header = slab_header(cache, base);
    struct object_trailer *trailer = object_trailer(cache, object);

    if (!slab_check_header(cache, base, fault) || !slab_follow_link(cache, base, &header->free, &first, fault))
        return false;
    trailer->link = link_encode(cache, &trailer->link, first);
    header->free = link_encode(cache, &header->free, object);
    page->in_use--;
    slab_sort_locked(cache, page, page->in_use + 1u);
    return true;
}

void slab_collect_empty_locked(struct slab_cache *cache, uint32_t keep, struct list *chain)
{
    while (cache->nr_empty > keep) {
        struct list *link = list_first(&cache->empty);

        list_remove(link);
        list_add_last(chain, link);
        cache->nr_empty--;
        cache->nr_slabs--;
    }
}

uint64_t slab_destroy_chain(struct list *chain)
{
    struct list *link;
    uint64_t pages = 0;

    while ((link = list_first(chain))) {
        struct page *page = list_entry(link, struct page, link);
        unsigned order = page->order;

        list_remove(link);
        for (size_t i = 0; i < (size_t)1 << order; i++)
            page[i].cache = NULL;
        page_free(page, order);
        pages += (uint64_t)1 << order;
    }
    return pages;
}

/* One object for the caller and up to half a magazine, from slabs there are. */
static void *refill_from_slabs(struct slab_cache *cache, struct heap_fault *fault)
{
    uint64_t flags = spinlock_lock_irqsave(&cache->lock);
    struct magazine_slot *slot = this_cpu_pointer(*cache->slot);
    void *mine = NULL;
    struct list *link;

    while ((link = list_first(&cache->partial)) || (link = list_first(&cache->empty))) {
        void *object = slab_pop_locked(cache, list_entry(link, struct page, link), fault);

        if (!object)
            break;
        if (!mine)
            mine = object;
        else
            slot->rounds[slot->count++] = object;
        if (slot->count >= slot->limit / 2)
            break;
    }
    spinlock_unlock_irqrestore(&cache->lock, flags);
    return fault->class_words ? NULL : mine;
}

void *slab_refill(struct slab_cache *cache)
{
    struct heap_fault fault = {0};
    struct page *page;
    uint64_t flags;
    void *object;

    ASSERT(cache->is_initialised);
    if (cache->magazine_index)
        magazine_create(cache);
    while (!(object = refill_from_slabs(cache, &fault))) {
        if (fault.class_words)
            heap_fault_report(&fault);
        page = slab_create(cache);
        if (!page && slab_reap())
            page = slab_create(cache);
        if (!page)
            return NULL;
        flags = spinlock_lock_irqsave(&cache->lock);
        list_add_first(&cache->empty, &page->link);
        cache->nr_empty++;
        cache->nr_slabs++;
        spinlock_unlock_irqrestore(&cache->lock, flags);
    }
    return object;
}

void *slab_take_slow(struct slab_cache *cache, size_t size, unsigned flags, const void *site)
{
    void *object;

    if (fail_inject(FAIL_SLAB))
        return NULL;
    object = magazine_pop(cache);
    if (!object)
        object = slab_refill(cache);
    return object ? slab_hand_out(cache, object, size, flags, site, cache->poison_words) : NULL;
}

/* The oldest go: the newest are warm in the CPU's cache. */
void slab_flush_rounds_locked(struct slab_cache *cache, struct magazine_slot *slot, uint32_t count,
                              struct heap_fault *fault)
{
    uint32_t flushed = 0;

    if (count > slot->count)
        count = slot->count;
    while (flushed < count && slab_push_locked(cache, slot->rounds[flushed], fault))
        flushed++;
    if (!flushed)
        return;
    slot->count -= flushed;
    memmove(slot->rounds, slot->rounds + flushed, slot->count * sizeof(slot->rounds[0]));
}

void slab_flush(struct slab_cache *cache, void *object)
{
    struct heap_fault fault = {0};
    struct list chain = LIST_INITIALIZER(chain);
    uint64_t flags;

    if (cache->magazine_index)
        magazine_create(cache);
    flags = spinlock_lock_irqsave(&cache->lock);
    slab_flush_rounds_locked(cache, this_cpu_pointer(*cache->slot), cache->magazine_rounds / 2, &fault);
    if (!fault.class_words)
        (void)slab_push_locked(cache, object, &fault);
    slab_collect_empty_locked(cache, SLAB_EMPTY_KEPT, &chain);
    spinlock_unlock_irqrestore(&cache->lock, flags);
    if (fault.class_words)
        heap_fault_report(&fault);
    slab_destroy_chain(&chain);
}

void slab_give_back(struct slab_cache *cache, void *object)
{
    struct heap_fault fault = {0};
    struct list chain = LIST_INITIALIZER(chain);
    uint64_t flags = spinlock_lock_irqsave(&cache->lock);

    (void)slab_push_locked(cache, object, &fault);
    slab_collect_empty_locked(cache, SLAB_EMPTY_KEPT, &chain);
    spinlock_unlock_irqrestore(&cache->lock, flags);
    if (fault.class_words)
        heap_fault_report(&fault);
    slab_destroy_chain(&chain);
}
