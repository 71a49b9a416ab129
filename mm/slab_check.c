/* The checks themselves, where they are not the fast path: they find out what exactly is wrong. */
#include <lib/string.h>

#include "slab_fast.h"

void slab_describe_object(struct heap_fault *fault, const char *class_words, const struct slab_cache *cache,
                          const void *object)
{
    const struct object_trailer *trailer = object_trailer(cache, object);

    *fault = (struct heap_fault){
        .class_words = class_words,
        .cache_name = cache->name,
        .object = object,
        .size = cache->requested_size,
        .allocated_at = trailer->allocated_at,
    };
    if (is_state_used(trailer->state))
        fault->size = trailer->state & ~STATE_USED_MASK;
    else if (is_state_free(trailer->state))
        fault->freed_at = trailer->state & CODE_SITE_MASK;
    if (SLAB_HAS_TRACES) {
        fault->allocated_trace = object_traces(cache, object)->allocated;
        fault->freed_trace = object_traces(cache, object)->freed;
    }
}

/* Where length bytes at start differ from the repeated pattern. */
static void find_wrong_bytes(struct heap_fault *fault, const uint8_t *start, uint64_t length, uint64_t pattern)
{
    for (uint64_t i = length; i-- > 0;) {
        uint8_t expected = (uint8_t)(pattern >> 8 * (i % sizeof(pattern)));

        if (start[i] == expected)
            continue;
        fault->nr_bytes++;
        fault->offset = (uint64_t)(start + i - (const uint8_t *)fault->object);
        fault->found = start[i];
        fault->expected = expected;
    }
}

bool slab_check_free_object(const struct slab_cache *cache, void *object, uint64_t link, struct heap_fault *fault)
{
    const struct object_trailer *trailer = object_trailer(cache, object);

    if (!is_poison_intact(object, cache->poison_words)) {
        slab_describe_object(fault, HEAP_USE_AFTER_FREE_WRITE, cache, object);
        find_wrong_bytes(fault, object, cache->poison_words * sizeof(uint64_t), HEAP_POISON_FREE);
        return false;
    }
    if (!is_state_free(trailer->state)) {
        slab_describe_object(fault, HEAP_TRAILER_OVERWRITTEN, cache, object);
        fault->detail = "of a free object: its state";
        fault->offset = cache->object_size + offsetof(struct object_trailer, state);
        fault->found = trailer->state;
        fault->expected = STATE_FREE;
        return false;
    }
    if (trailer->link != link) {
        slab_describe_object(fault, HEAP_FREE_LIST, cache, object);
        fault->detail = "the link of a free object";
        fault->offset = cache->object_size;
        fault->found = trailer->link;
        fault->expected = link;
        return false;
    }
    return true;
}

bool slab_check_cached_object(const struct slab_cache *cache, void *object, struct heap_fault *fault)
{
    return slab_check_free_object(cache, object, link_of_none(cache, &object_trailer(cache, object)->link), fault);
}

bool slab_check_used_object(const struct slab_cache *cache, void *object, struct heap_fault *fault)
{
    const struct object_trailer *trailer = object_trailer(cache, object);
    uint32_t state = trailer->state, size = state & ~STATE_USED_MASK;
    const uint8_t *redzone = (const uint8_t *)object + size;

    if (!is_state_used(state) || size > cache->object_size) {
        /* The size is lost, so the redzone can only be sought where a full object has it. */
        bool is_redzone_wrong = trailer->link != HEAP_REDZONE;

        slab_describe_object(fault, is_redzone_wrong ? HEAP_REDZONE_OVERWRITTEN : HEAP_TRAILER_OVERWRITTEN, cache,
                             object);
        fault->detail = is_redzone_wrong ? "overflow of more than 8 bytes" : "of an object in use: its state";
        fault->offset = cache->object_size + (is_redzone_wrong ? 0 : offsetof(struct object_trailer, state));
        fault->found = is_redzone_wrong ? trailer->link : state;
        fault->expected = is_redzone_wrong ? HEAP_REDZONE : STATE_USED;
        return false;
    }
    if (*(const unaligned_u64 *)redzone != HEAP_REDZONE) {
        slab_describe_object(fault, HEAP_REDZONE_OVERWRITTEN, cache, object);
        find_wrong_bytes(fault, redzone, sizeof(uint64_t), HEAP_REDZONE);
        return false;
    }
    return true;
}

bool slab_check_header(const struct slab_cache *cache, void *base, struct heap_fault *fault)
{
    const struct slab_header *header = slab_header(cache, base);
    uint64_t expected = cache->secret ^ (uint64_t)(uintptr_t)header;

    if (LIKELY(header->check == expected))
        return true;
    *fault = (struct heap_fault){
        .class_words = HEAP_FREE_LIST,
        .cache_name = cache->name,
        .object = base,
        .size = cache->slab_bytes,
        .offset = (uint64_t)((const char *)&header->check - (const char *)base),
        .found = header->check,
        .expected = expected,
        .detail = "the header of a slab",
    };
    return false;
}

bool slab_follow_link(const struct slab_cache *cache, void *base, const uint64_t *link, void **next,
                      struct heap_fault *fault)
{
    char *target = link_decode(cache, link, *link);
    uint64_t offset = (uint64_t)(target - (char *)base);

    if (!target || (offset < cache->slab_bytes && is_object_offset(cache, (uint32_t)offset) &&
                    is_state_free(object_trailer(cache, target)->state))) {
        *next = target;
        return true;
    }
    *fault = (struct heap_fault){
        .class_words = HEAP_FREE_LIST,
        .cache_name = cache->name,
        .object = base,
        .size = cache->slab_bytes,
        .offset = (uint64_t)((const char *)link - (const char *)base),
        .found = *link,
        .detail = "a link of a slab's free list leads to no free object of it",
    };
    return false;
}

void slab_report_bad_object(const struct slab_cache *cache, void *object)
{
    struct heap_fault fault = {0};

    (void)slab_check_cached_object(cache, object, &fault);
    heap_fault_report(&fault);
}

void slab_report_bad_free(const struct slab_cache *expected, void *object, const void *site)
{
    struct heap_fault fault = {.class_words = HEAP_NOT_AN_OBJECT, .object = object};
    struct page *page = page_of_address(object);
    const struct slab_cache *cache;
    uint32_t offset;

    fault.freed_again_at = code_site(site);
    if (!page || page->owner != PAGE_SLAB) {
        fault.detail = !page                         ? "outside of RAM's mapping"
                       : page->owner == PAGE_FREE    ? "in a free page"
                       : page->owner == PAGE_LARGE   ? "in a page of a large allocation"
                       : page->owner == PAGE_VMALLOC ? "in a page of vmalloc's"
                                                     : "in a page that is no heap page";
        heap_fault_report(&fault);
    }
    cache = page->cache;
    fault.cache_name = cache->name;
    fault.size = cache->requested_size;
    offset = (uint32_t)((char *)object - (char *)slab_base(cache, object));
    if (!is_object_offset(cache, offset)) {
        fault.class_words = HEAP_MIDDLE_OF_OBJECT;
        fault.offset = offset % cache->stride;
        fault.object = (char *)object - fault.offset;
        if (offset < cache->objects_bytes)
            fault.allocated_at = object_trailer(cache, fault.object)->allocated_at;
        heap_fault_report(&fault);
    }
    if (is_state_free(object_trailer(cache, object)->state))
        slab_describe_object(&fault, HEAP_DOUBLE_FREE, cache, object);
    else if (expected ? cache != expected : !cache->is_kmalloc)
        slab_describe_object(&fault, HEAP_WRONG_CACHE, cache, object);
    else
        (void)slab_check_used_object(cache, object, &fault);
    if (strcmp(fault.class_words, HEAP_WRONG_CACHE) == 0)
        fault.detail = expected ? expected->name : "kmalloc";
    fault.freed_again_at = code_site(site);
    heap_fault_report(&fault);
}
