/* A ring of addresses under one lock. What is evicted goes past the magazines: nothing is allocated on the way. */
#include "quarantine.h"

#include "slab_internal.h"

#include <base/errno.h>
#include <mm/page_alloc.h>

#define PAGES_PER_OBJECT 32u
#define MEMORY_PER_BYTE  64u

static struct spinlock quarantine_lock = SPINLOCK_INITIALIZER("quarantine");
static void **ring;                 /* [I] */
static uint64_t capacity, most;     /* [I] objects, bytes */
static uint64_t oldest, nr_objects; /* [quarantine_lock] */
static uint64_t nr_bytes;           /* [quarantine_lock] */

INIT int quarantine_init_(void)
{
    uint64_t pages = page_counts().total, wanted = pages / PAGES_PER_OBJECT * sizeof(void *);
    struct page *page;
    unsigned order = 0;

    while (order < PAGE_ORDER_MAX && (PAGE_SIZE << order) < wanted)
        order++;
    page = page_alloc(order, PAGE_SHADOW, 0);
    if (!page)
        return -ENOMEM;
    ring = page_to_address(page);
    capacity = (PAGE_SIZE << order) / sizeof(void *);
    most = (pages << PAGE_SHIFT) / MEMORY_PER_BYTE;
    return 0;
}

/* The oldest object, where there are more than these; else NULL. */
static void *take_oldest_locked(uint64_t objects, uint64_t bytes)
{
    void *object;

    if (nr_objects <= objects && nr_bytes <= bytes)
        return NULL;
    object = ring[oldest];
    oldest = (oldest + 1) % capacity;
    nr_objects--;
    nr_bytes -= page_of_address(object)->cache->stride;
    return object;
}

/* False where there are no more than these. The lock is kept until the object is back: who finds none of a cache here
 * may destroy it. */
static bool evict_oldest(uint64_t objects, uint64_t bytes)
{
    uint64_t flags = spinlock_lock_irqsave(&quarantine_lock);
    void *object = take_oldest_locked(objects, bytes);

    if (object) {
        struct slab_cache *cache = page_of_address(object)->cache;

        __atomic_sub_fetch(&cache->nr_quarantined, 1, __ATOMIC_RELAXED); /* a counter: orders nothing */
        slab_give_back(cache, object);
    }
    spinlock_unlock_irqrestore(&quarantine_lock, flags);
    return object != NULL;
}

static void evict(uint64_t objects, uint64_t bytes)
{
    while (evict_oldest(objects, bytes))
        ;
}

/* False where the ring is full, or not there yet. */
static bool add(struct slab_cache *cache, void *object)
{
    uint64_t flags = spinlock_lock_irqsave(&quarantine_lock);
    bool has_room = nr_objects < capacity;

    if (has_room) {
        ring[(oldest + nr_objects++) % capacity] = object;
        nr_bytes += cache->stride;
        __atomic_add_fetch(&cache->nr_quarantined, 1, __ATOMIC_RELAXED); /* a counter: orders nothing */
    }
    spinlock_unlock_irqrestore(&quarantine_lock, flags);
    return has_room;
}

void quarantine_put(struct slab_cache *cache, void *object)
{
    if (add(cache, object))
        evict(capacity - capacity / 16, most);
    else
        slab_give_back(cache, object);
}

void quarantine_drain_(void)
{
    evict(0, 0);
}
