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
    uint64_t flags = irq_save();
    uint32_t count = this_cpu_read(magazine_slots[cache->magazine_index].count);
    void *object = NULL;

    if (LIKELY(count != 0)) {
        count--;
        this_cpu_write(magazine_slots[cache->magazine_index].count, count);
        object = this_cpu_read(magazine_slots[cache->magazine_index].rounds)[count];
    }
    irq_restore(flags);
    return object;
}

/* False where there is no magazine or it is full. */
static ALWAYS_INLINE bool magazine_push(struct slab_cache *cache, void *object)
{
    uint64_t flags = irq_save();
    uint32_t count = this_cpu_read(magazine_slots[cache->magazine_index].count);
    bool has_room = count < this_cpu_read(magazine_slots[cache->magazine_index].limit);

    if (LIKELY(has_room)) {
        this_cpu_read(magazine_slots[cache->magazine_index].rounds)[count] = object;
        this_cpu_write(magazine_slots[cache->magazine_index].count, count + 1);
    }
    irq_restore(flags);
    return has_room;
}

/* The always-on part of slab_check_free_object: all differences OR-ed into one value, one branch. */
static ALWAYS_INLINE bool is_free_object_intact(const struct slab_cache *cache, const void *object,
                                                const struct object_trailer *trailer)
{
    const uint64_t *word = object;
    uint64_t wrong = trailer->link ^ link_encode(cache, &trailer->link, NULL);

    wrong |= (trailer->state & STATE_FREE_MASK) ^ STATE_FREE;
    if (LIKELY(cache->poison_words == SLAB_POISON_BYTES / sizeof(uint64_t))) {
        for (unsigned i = 0; i < SLAB_POISON_BYTES / sizeof(uint64_t); i++)
            wrong |= word[i] ^ HEAP_POISON_FREE;
    } else {
        for (unsigned i = 0; i < cache->poison_words; i++)
            wrong |= word[i] ^ HEAP_POISON_FREE;
    }
    return wrong == 0;
}

static ALWAYS_INLINE void *slab_take(struct slab_cache *cache, size_t size, unsigned flags, const void *site)
{
    struct object_trailer *trailer;
    void *object;

    if (fail_inject(FAIL_SLAB))
        return NULL;
    object = magazine_pop(cache);
    if (UNLIKELY(!object)) {
        object = slab_refill(cache);
        if (!object)
            return NULL;
    }
    trailer = object_trailer(cache, object);
    if (UNLIKELY(!is_free_object_intact(cache, object, trailer)) || CONFIG_DEBUG) {
        struct heap_fault fault;

        if (!slab_check_free_object(cache, object, NULL, &fault))
            heap_fault_report(&fault);
    }
    trailer->allocated_at = code_site(site);
    trailer->state = STATE_USED | (uint32_t)size;
    if (CONFIG_DEBUG) {
        slab_fill(object, HEAP_POISON_NEW, cache->object_size / sizeof(uint64_t));
        heap_trace(object_traces(cache, object)->allocated, SLAB_TRACE_DEPTH);
    }
    *(unaligned_u64 *)((char *)object + size) = HEAP_REDZONE;
    if (flags & ALLOC_ZERO)
        memset(object, 0, size);
    return object;
}

/* object lies in a slab of this cache. */
static ALWAYS_INLINE void slab_give(struct slab_cache *cache, void *object, const void *site)
{
    struct object_trailer *trailer = object_trailer(cache, object);
    uint32_t offset = (uint32_t)((uintptr_t)object & (cache->slab_bytes - 1)), state;

    if (UNLIKELY(!is_object_offset(cache, offset)))
        slab_report_bad_free(cache, object, site);
    state = trailer->state;
    if (UNLIKELY(!is_state_used(state) || (state & ~STATE_USED_MASK) > cache->object_size ||
                 *(unaligned_u64 *)((char *)object + (state & ~STATE_USED_MASK)) != HEAP_REDZONE))
        slab_report_bad_free(cache, object, site);
    if (CONFIG_DEBUG)
        heap_trace(object_traces(cache, object)->freed, SLAB_TRACE_DEPTH);
    trailer->link = link_encode(cache, &trailer->link, NULL);
    trailer->state = STATE_FREE | code_site(site);
    slab_poison(cache, object);
    if (UNLIKELY(!magazine_push(cache, object)))
        slab_flush(cache, object);
}
