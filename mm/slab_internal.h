/* The inside of the slab allocator: how a slab and an object are laid out, and what its files share.
 *
 * A slab is a naturally aligned block of 2^order pages: object 0, object 1, ... at multiples of the stride, and its
 * header at the very end (in the last object's slack where there is one). An object is
 *
 *     [ object_size bytes | trailer (16 bytes) | debug: traces | slack up to the stride ]
 *
 * States of an object, told by its trailer:
 *   in use:      eight redzone bytes behind the last requested byte (over the trailer's link where all was requested);
 *                state = STATE_USED | requested bytes
 *   free:        poison at its start; link = encoded address of the next free object of the slab; state = STATE_FREE |
 *                the freeing call. In a magazine or the quarantine (quarantine.h), which hold addresses: the same, but
 *                link = link_of_none().
 *
 * Invariants, checked by slab_audit:
 *   1. page.in_use of a slab's first page = its objects that are in use, in a magazine or in the quarantine.
 *   2. a slab's free list has objects_per_slab - in_use entries, all in that slab, all STATE_FREE.
 *   3. a slab is in exactly one list of its cache: full (in_use = all), empty (in_use = 0) or partial.
 *
 * Locks: cache->lock (interrupts off) guards lists, headers, in_use. A CPU's magazines are touched by that CPU with
 * interrupts off only. An object in use is its owner's, trailer included. caches_lock is taken before any cache->lock;
 * no page is allocated or freed under either. Nothing is reported under a lock: checks fill a struct heap_fault. */
#pragma once

#include "heap_fault.h"
#include <base/address.h>
#include <base/align.h>
#include <base/assert.h>
#include <base/kasan.h>
#include <cpu/percpu.h>
#include <lib/list.h>
#include <mm/heap_report.h>
#include <mm/page_alloc.h>
#include <mm/slab.h>
#include <sync/spinlock.h>

#define SLAB_ORDER_MAX         3u
#define SLAB_ALIGNMENT         16u
#define SLAB_POISON_BYTES      64u /* a cache line: checked in every build */
#define SLAB_FAST_POISON_WORDS (SLAB_POISON_BYTES / (uint32_t)sizeof(uint64_t))
#define SLAB_EMPTY_KEPT        1u /* empty slabs a cache keeps against thrashing */

#define MAGAZINE_ROUNDS_MAX 24u
#define MAGAZINE_CACHES     128u /* caches with magazines; a later one works without */

struct slab_cache {
    struct list link;           /* [caches_lock] */
    const char *name;           /* [I] */
    uint64_t secret;            /* [I] encodes links */
    uint32_t object_size;       /* [I] usable bytes, a multiple of 8: where the trailer is */
    uint32_t requested_size;    /* [I] what slab_cache_create was asked for */
    uint32_t stride;            /* [I] */
    uint32_t stride_reciprocal; /* [I] 2^32 / stride + 1 */
    uint32_t objects_per_slab;  /* [I] */
    uint32_t objects_bytes;     /* [I] objects_per_slab * stride */
    uint32_t slab_bytes;        /* [I] a power of two */
    uint32_t poison_words;      /* [I] 8-byte words that are poisoned and checked */
    struct magazine_slot *slot; /* [I] this_cpu_ access only; slot 0 where the cache has no magazines */
    uint16_t magazine_index;    /* [I] of slot; 0: has none */
    uint16_t magazine_rounds;   /* [I] */
    uint8_t order;              /* [I] */
    uint8_t page_flags;         /* [I] ALLOC_DMA32 or 0 */
    bool is_initialised;        /* [I] */
    bool is_kmalloc;            /* [I] kfree takes its objects */
    bool is_fast_kmalloc;       /* [I] and poison_words is SLAB_FAST_POISON_WORDS */
    struct spinlock lock;
    struct list partial, full, empty; /* [l] first pages, by page.link */
    uint32_t nr_slabs, nr_empty;      /* [l] */
    uint32_t nr_quarantined;          /* [a] quarantine.c */
    struct list magazines;            /* [l] struct magazine, of every CPU */
};

/* A CPU's array of free objects for one cache. */
struct magazine {
    struct list link;           /* [cache lock] */
    unsigned cpu;               /* [I] */
    struct magazine_slot *slot; /* [I] that CPU's */
    void *rounds[MAGAZINE_ROUNDS_MAX];
};

/* [c] with interrupts off */
struct magazine_slot {
    uint32_t count;
    uint32_t limit; /* 0: no magazine */
    void **rounds;
};
extern struct magazine_slot magazine_slots[MAGAZINE_CACHES]; /* per CPU, by magazine_index; slot 0 stays empty */

struct object_trailer {
    uint64_t link;
    uint32_t allocated_at; /* code site, see mm/heap_fault.h */
    uint32_t state;
};

#define STATE_USED      0x5a5a0000u /* | requested bytes */
#define STATE_USED_MASK 0xffff0000u
#define STATE_FREE      0xf0000000u /* | code site of the free */
#define STATE_FREE_MASK 0xf0000000u

/* Behind the trailer in a debug build, and with the address sanitizer. */
#define SLAB_TRACE_DEPTH 8
struct object_traces {
    uint32_t allocated[SLAB_TRACE_DEPTH];
    uint32_t freed[SLAB_TRACE_DEPTH];
};

#define SLAB_HAS_TRACES (CONFIG_DEBUG || CONFIG_KASAN)
#define OBJECT_OVERHEAD (sizeof(struct object_trailer) + (SLAB_HAS_TRACES ? sizeof(struct object_traces) : 0))

/* At the end of each slab. */
struct slab_header {
    uint64_t free;  /* [l] encoded like a link: the first free object */
    uint64_t check; /* [I] cache->secret ^ the header's address */
};

static inline struct object_trailer *object_trailer(const struct slab_cache *cache, const void *object)
{
    return (struct object_trailer *)((char *)(uintptr_t)object + cache->object_size);
}

static inline struct object_traces *object_traces(const struct slab_cache *cache, const void *object)
{
    return (struct object_traces *)(object_trailer(cache, object) + 1);
}

/* The link of a free object in a magazine, which is in no list. */
static inline uint64_t link_of_none(const struct slab_cache *cache, const void *slot)
{
    return (uint64_t)(uintptr_t)slot ^ cache->secret;
}

/* The link that, stored at slot, means next. */
static inline uint64_t link_encode(const struct slab_cache *cache, const void *slot, const void *next)
{
    return __builtin_bswap64((uint64_t)(uintptr_t)next ^ (uint64_t)(uintptr_t)slot ^ cache->secret);
}

static inline void *link_decode(const struct slab_cache *cache, const void *slot, uint64_t link)
{
    return (void *)(uintptr_t)(__builtin_bswap64(link) ^ (uint64_t)(uintptr_t)slot ^ cache->secret);
}

static inline void *slab_base(const struct slab_cache *cache, const void *object)
{
    return (void *)align_down((uintptr_t)object, cache->slab_bytes);
}

static inline struct slab_header *slab_header(const struct slab_cache *cache, const void *base)
{
    return (struct slab_header *)((char *)(uintptr_t)base + cache->slab_bytes) - 1;
}

/* offset is that of an object's first byte. Exact for all offsets below 2^16 (the low half of the product is the
 * remainder's scaled value). */
static inline bool is_object_offset(const struct slab_cache *cache, uint32_t offset)
{
    return offset * cache->stride_reciprocal < cache->stride_reciprocal && offset < cache->objects_bytes;
}

static inline bool is_state_free(uint32_t state)
{
    return (state & STATE_FREE_MASK) == STATE_FREE;
}

static inline bool is_state_used(uint32_t state)
{
    return (state & STATE_USED_MASK) == STATE_USED;
}

typedef uint64_t unaligned_u64 __attribute__((aligned(1)));

static inline void slab_fill(void *object, uint64_t pattern, uint32_t words)
{
    for (uint64_t *word = object; words; words--)
        *word++ = pattern;
}

/* words: cache->poison_words, or SLAB_FAST_POISON_WORDS where that is known to be it. */
static ALWAYS_INLINE void slab_poison(void *object, uint32_t words)
{
    uint64_t *word = object;

    if (!__builtin_constant_p(words)) {
        slab_fill(object, HEAP_POISON_FREE, words);
        return;
    }
#pragma GCC unroll 8
    for (uint32_t i = 0; i < words; i++)
        word[i] = HEAP_POISON_FREE;
}

/* slab_check.c: true when the free object is as it was left; fault is filled otherwise. link: what it must have. */
bool slab_check_free_object(const struct slab_cache *cache, void *object, uint64_t link, struct heap_fault *fault);
/* The same for one in a magazine. */
bool slab_check_cached_object(const struct slab_cache *cache, void *object, struct heap_fault *fault);
/* Fills fault with what the object's trailer tells of it; offset, found and expected are for the caller. */
void slab_describe_object(struct heap_fault *fault, const char *class_words, const struct slab_cache *cache,
                          const void *object);
bool slab_check_used_object(const struct slab_cache *cache, void *object, struct heap_fault *fault);
bool slab_check_header(const struct slab_cache *cache, void *base, struct heap_fault *fault);
/* Reads the free object's link. Returns false and fills fault where it does not lead to a free object of the same slab.
 */
bool slab_follow_link(const struct slab_cache *cache, void *base, const uint64_t *link, void **next,
                      struct heap_fault *fault);
/* The free object failed slab_check_free_object: says why, and ends the kernel. */
NORETURN COLD void slab_report_bad_object(const struct slab_cache *cache, void *object);
/* Says why object cannot be freed to expected (NULL: kfree), and ends the kernel. */
NORETURN COLD void slab_report_bad_free(const struct slab_cache *expected, void *object, const void *site);

/* slab_list.c: the locked layer under the magazines. */
MUST_CHECK int slab_cache_init(struct slab_cache *cache, const char *name, size_t size, size_t alignment,
                               unsigned alloc_flags);
void *slab_refill(struct slab_cache *cache);
void *slab_take_slow(struct slab_cache *cache, size_t size, unsigned flags, const void *site);
void slab_flush(struct slab_cache *cache, void *object);
/* Empties count rounds of a magazine into their slabs. */
void slab_flush_rounds_locked(struct slab_cache *cache, struct magazine_slot *slot, uint32_t count,
                              struct heap_fault *fault);
/* Moves empty slabs beyond keep out of the cache into chain; slab_destroy_chain frees them when no lock is held. */
void slab_collect_empty_locked(struct slab_cache *cache, uint32_t keep, struct list *chain);
uint64_t slab_destroy_chain(struct list *chain);

/* slab_cache.c */
void slab_caches_init(void);
/* As slab_cache_create, into memory of the caller's that stays. */
MUST_CHECK int slab_cache_register(struct slab_cache *cache, const char *name, size_t size, size_t alignment,
                                   unsigned alloc_flags);
uint64_t slab_objects_in_use_locked(struct slab_cache *cache, uint64_t *in_magazines);
struct slab_cache *slab_cache_nth_locked(unsigned n);

/* Gives a free object back to its slab, past the magazines. */
void slab_give_back(struct slab_cache *cache, void *object);

/* slab_magazine.c */
void magazines_init(void);
uint16_t magazine_index_take_locked(void);
void magazine_index_give_back_locked(uint16_t index);
/* Gives this CPU a magazine for the cache, where it has none and there is memory. */
void magazine_create(struct slab_cache *cache);
/* Empties the magazines of every CPU into the slabs and moves them into chain; magazine_free_chain frees them. */
void magazine_collect_all_locked(struct slab_cache *cache, struct list *chain, struct heap_fault *fault);
/* The same with this CPU's, if it has one: whoever is between two looks at its slot finds it without, as it was at
 * first. */
void magazine_collect_own_locked(struct slab_cache *cache, struct list *chain, struct heap_fault *fault);
void magazine_free_chain(struct list *chain);

extern struct spinlock slab_caches_lock;
extern struct slab_cache slab_magazine_cache; /* of struct magazine */
