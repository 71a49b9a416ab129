/* The path that nearly every allocation and free takes: one magazine, no lock, every always-on check. Inlined into
 * kmalloc and slab_alloc so that each is one straight piece of code. */
#pragma once

#include <base/compiler.h>
#include <cpu/interrupts.h>
#include <lib/string.h>
#include <mm/fail_inject.h>
#include <mm/heap_report.h>

#include "slab_internal.h"

/* A free object, checked by no one yet, or NULL. */
static ALWAYS_INLINE void *magazine_pop(struct slab_cache *cache)
{
    const unsigned index = cache->magazine_index;
    uint64_t flags = irq_save();
    uint32_t count = this_cpu_read(magazine_slots[index].count);
    void *object = NULL;

    if (LIKELY(count != 0)) {
        count--;
        this_cpu_write(magazine_slots[index].count, count);
        object = this_cpu_read(magazine_slots[index].rounds)[count];
    }
    irq_restore(flags);
    return object;
}

/* False where there is no magazine or it is full. */
static ALWAYS_INLINE bool magazine_push(struct slab_cache *cache, void *object)
{
    const unsigned index = cache->magazine_index;
    uint64_t flags = irq_save();
    uint32_t count = this_cpu_read(magazine_slots[index].count);
    bool has_room = count < this_cpu_read(magazine_slots[index].limit);

    if (LIKELY(has_room)) {
        this_cpu_read(magazine_slots[index].rounds)[count] = object;
        this_cpu_write(magazine_slots[index].count, count + 1);
    }
    irq_restore(flags);
    return has_room;
}

static ALWAYS_INLINE bool is_poison_intact(const uint64_t *word, uint32_t words)
{
    if (LIKELY(words == SLAB_POISON_BYTES / sizeof(uint64_t)))
        return word[0] == HEAP_POISON_FREE && word[1] == HEAP_POISON_FREE && word[2] == HEAP_POISON_FREE &&
               word[3] == HEAP_POISON_FREE && word[4] == HEAP_POISON_FREE && word[5] == HEAP_POISON_FREE &&
               word[6] == HEAP_POISON_FREE && word[7] == HEAP_POISON_FREE;
    while (words && *word == HEAP_POISON_FREE)
        words--, word++;
    return words == 0;
}

/* slab_check_free_object without finding out what is wrong. */
static ALWAYS_INLINE bool is_free_object_intact(const struct slab_cache *cache, const void *object,
                                                const struct object_trailer *trailer)
{
    return is_poison_intact(object, cache->poison_words) && is_state_free(trailer->state) &&
           trailer->link == link_encode(cache, &trailer->link, NULL);
}

/* Checks a free object and makes it one in use of size bytes. */
static ALWAYS_INLINE void *slab_hand_out(struct slab_cache *cache, void *object, size_t size, unsigned flags,
                                         const void *site)
{
    struct object_trailer *trailer = object_trailer(cache, object);

    if (UNLIKELY(!is_free_object_intact(cache, object, trailer)))
        slab_report_bad_object(cache, object);
    trailer->allocated_at = code_site(site);
    trailer->state = STATE_USED | (uint32_t)size;
    if (CONFIG_DEBUG) {
        slab_fill(object, HEAP_POISON_NEW, cache->object_size / sizeof(uint64_t));
        heap_trace(object_traces(cache, object)->allocated, SLAB_TRACE_DEPTH);
    }
    *(unaligned_u64 *)((char *)object + size) = HEAP_REDZONE;
    if (flags & ALLOC_ZERO)
        return memset(object, 0, size);
    return object;
}

/* Whatever is not simple returns what a function out of line returns: nothing is kept across a call, so the fast path
 * saves no registers. */
static ALWAYS_INLINE void *slab_take(struct slab_cache *cache, size_t size, unsigned flags, const void *site)
{
    void *object;

    if (UNLIKELY(fail_inject_kinds & FAIL_SLAB))
        return slab_take_slow(cache, size, flags, site);
    object = magazine_pop(cache);
    if (UNLIKELY(!object))
        return slab_take_slow(cache, size, flags, site);
    return slab_hand_out(cache, object, size, flags, site);
}

/* object lies in a slab of this cache. */
static ALWAYS_INLINE void slab_give(struct slab_cache *cache, void *object, const void *site)
{
    struct object_trailer *trailer = object_trailer(cache, object);
    uint32_t size;

    if (UNLIKELY(!is_object_offset(cache, (uint32_t)((uintptr_t)object & (cache->slab_bytes - 1)))))
        slab_report_bad_free(cache, object, site);
    size = trailer->state ^ STATE_USED; /* in any other state far too large */
    if (UNLIKELY(size > cache->object_size || *(unaligned_u64 *)((char *)object + size) != HEAP_REDZONE))
        slab_report_bad_free(cache, object, site);
    if (CONFIG_DEBUG)
        heap_trace(object_traces(cache, object)->freed, SLAB_TRACE_DEPTH);
    trailer->link = link_encode(cache, &trailer->link, NULL);
    trailer->state = STATE_FREE | code_site(site);
    slab_poison(cache, object);
    if (UNLIKELY(!magazine_push(cache, object)))
        slab_flush(cache, object);
}
