/* The path that nearly every allocation and free takes: one magazine, no lock, every always-on check. Inlined into
 * kmalloc and slab_alloc so that each is one straight piece of code. */
#pragma once

#include <base/compiler.h>
#include <cpu/interrupts.h>
#include <lib/string.h>
#include <mm/fail_inject.h>
#include <mm/heap_report.h>

#include "quarantine.h"
#include "slab_internal.h"

/* A free object that nobody has checked, or NULL. */
static ALWAYS_INLINE void *magazine_pop(struct slab_cache *cache)
{
    struct magazine_slot *const slot = cache->slot;
    uint64_t flags = irq_save();
    uint32_t count = this_cpu_read(slot->count);
    void *object;

    if (UNLIKELY(count == 0)) {
        irq_restore(flags);
        return NULL;
    }
    count--;
    this_cpu_write(slot->count, count);
    object = this_cpu_read(slot->rounds)[count];
    irq_restore(flags);
    return object;
}

/* False where there is no magazine or it is full. */
static ALWAYS_INLINE bool magazine_push(struct slab_cache *cache, void *object)
{
    struct magazine_slot *const slot = cache->slot;
    uint64_t flags = irq_save();
    uint32_t count = this_cpu_read(slot->count);

    if (UNLIKELY(count >= this_cpu_read(slot->limit))) {
        irq_restore(flags);
        return false;
    }
    this_cpu_read(slot->rounds)[count] = object;
    this_cpu_write(slot->count, count + 1);
    irq_restore(flags);
    return true;
}

static ALWAYS_INLINE bool is_poison_intact(const uint64_t *word, uint32_t words)
{
    if (__builtin_constant_p(words)) {
        static_assert(SLAB_FAST_POISON_WORDS == 8, "one comparison each");
        return word[0] == HEAP_POISON_FREE && word[1] == HEAP_POISON_FREE && word[2] == HEAP_POISON_FREE &&
               word[3] == HEAP_POISON_FREE && word[4] == HEAP_POISON_FREE && word[5] == HEAP_POISON_FREE &&
               word[6] == HEAP_POISON_FREE && word[7] == HEAP_POISON_FREE;
    }
    while (words && *word == HEAP_POISON_FREE)
        words--, word++;
    return words == 0;
}

/* Checks a free object's poison and link and makes it one in use of size bytes. words: as for slab_poison. */
static ALWAYS_INLINE void *slab_hand_out(struct slab_cache *cache, void *object, size_t size, unsigned flags,
                                         const void *site, uint32_t words)
{
    struct object_trailer *trailer = object_trailer(cache, object);

    if (UNLIKELY(!is_poison_intact(object, words) || trailer->link != link_of_none(cache, &trailer->link)))
        slab_report_bad_object(cache, object);
    trailer->allocated_at = code_site(site);
    trailer->state = STATE_USED | (uint32_t)size;
    if (CONFIG_DEBUG)
        slab_fill(object, HEAP_POISON_NEW, cache->object_size / sizeof(uint64_t));
    if (SLAB_HAS_TRACES)
        heap_trace(object_traces(cache, object)->allocated, SLAB_TRACE_DEPTH);
    kasan_poison(object, cache->object_size, KASAN_SLAB_REDZONE);
    kasan_unpoison(object, size);
    *(unaligned_u64 *)((char *)object + size) = HEAP_REDZONE;
    if (flags & ALLOC_ZERO)
        return memset(object, 0, size);
    return object;
}

/* Whatever is not simple returns what a function out of line returns: nothing is kept across a call, so the fast path
 * saves no registers. */
static ALWAYS_INLINE void *slab_take(struct slab_cache *cache, size_t size, unsigned flags, const void *site,
                                     uint32_t words)
{
    void *object;

    if (UNLIKELY(READ_ONCE(fail_inject_kinds) & FAIL_SLAB))
        return slab_take_slow(cache, size, flags, site);
    object = magazine_pop(cache);
    if (UNLIKELY(!object))
        return slab_take_slow(cache, size, flags, site);
    return slab_hand_out(cache, object, size, flags, site, words);
}

/* object lies in a slab of this cache. A pointer into the middle of one finds no state and no redzone where its would
 * be: slab_report_bad_free then works out what it is. */
static ALWAYS_INLINE void slab_give(struct slab_cache *cache, void *object, const void *site, uint32_t words)
{
    struct object_trailer *trailer = object_trailer(cache, object);
    uint32_t size;

    if (UNLIKELY(!is_aligned((uintptr_t)object, SLAB_ALIGNMENT)))
        slab_report_bad_free(cache, object, site);
    size = trailer->state ^ STATE_USED; /* far too large in any other state */
    if (UNLIKELY(size > cache->object_size || *(unaligned_u64 *)((char *)object + size) != HEAP_REDZONE))
        slab_report_bad_free(cache, object, site);
    if (SLAB_HAS_TRACES)
        heap_trace(object_traces(cache, object)->freed, SLAB_TRACE_DEPTH);
    trailer->link = link_of_none(cache, &trailer->link);
    trailer->state = STATE_FREE | code_site(site);
    slab_poison(object, words);
    if (CONFIG_KASAN) {
        kasan_poison(object, cache->object_size, KASAN_SLAB_FREE);
        quarantine_put(cache, object);
        return;
    }
    if (UNLIKELY(!magazine_push(cache, object)))
        slab_flush(cache, object);
}
