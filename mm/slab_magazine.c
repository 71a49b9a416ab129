/* Per-CPU magazines: made when a CPU first needs one, so that a CPU which comes up later needs no registration. */
#include <cpu/interrupts.h>

#include "slab_fast.h"

PER_CPU struct magazine_slot magazine_slots[MAGAZINE_CACHES];
struct slab_cache slab_magazine_cache; /* [its own lock] */

static uint64_t indices_taken[MAGAZINE_CACHES / 64]; /* [slab_caches_lock] */

void magazines_init(void)
{
    memset(indices_taken, 0, sizeof(indices_taken));
    indices_taken[0] = 1; /* slot 0 stays empty */
    int error = slab_cache_register(&slab_magazine_cache, "magazine", sizeof(struct magazine), 1, 0);

    ASSERT(error == 0);
}

uint16_t magazine_index_take_locked(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(indices_taken); i++) {
        unsigned bit;

        if (~indices_taken[i] == 0)
            continue;
        bit = (unsigned)__builtin_ctzll(~indices_taken[i]);
        indices_taken[i] |= (uint64_t)1 << bit;
        return (uint16_t)(i * 64 + bit);
    }
    return 0;
}

void magazine_index_give_back_locked(uint16_t index)
{
    if (index)
        indices_taken[index / 64] &= ~((uint64_t)1 << index % 64);
}

void magazine_create(struct slab_cache *cache)
{
    struct magazine *magazine;
    struct magazine_slot *slot;
    uint64_t flags;

    if (this_cpu_read(cache->slot->limit))
        return;
    magazine = slab_take(&slab_magazine_cache, sizeof(*magazine), 0, __builtin_return_address(0),
                         slab_magazine_cache.poison_words);
    if (!magazine)
        return;
    flags = spinlock_lock_irqsave(&cache->lock);
    slot = this_cpu_pointer(*cache->slot);
    if (!slot->limit) { /* else an interrupt made one, or we are on another CPU now */
        magazine->cpu = this_cpu_read(percpu.cpu_number);
        magazine->slot = slot;
        list_add_last(&cache->magazines, &magazine->link);
        slot->rounds = magazine->rounds;
        slot->limit = cache->magazine_rounds;
        magazine = NULL;
    }
    spinlock_unlock_irqrestore(&cache->lock, flags);
    if (magazine)
        slab_give(&slab_magazine_cache, magazine, __builtin_return_address(0), slab_magazine_cache.poison_words);
}

static void collect_locked(struct slab_cache *cache, struct magazine *magazine, struct list *chain,
                           struct heap_fault *fault)
{
    slab_flush_rounds_locked(cache, magazine->slot, MAGAZINE_ROUNDS_MAX, fault);
    *magazine->slot = (struct magazine_slot){0};
    list_remove(&magazine->link);
    list_add_last(chain, &magazine->link);
}

void magazine_collect_all_locked(struct slab_cache *cache, struct list *chain, struct heap_fault *fault)
{
    struct list *link;

    while ((link = list_first(&cache->magazines)))
        collect_locked(cache, list_entry(link, struct magazine, link), chain, fault);
}

void magazine_collect_own_locked(struct slab_cache *cache, struct list *chain, struct heap_fault *fault)
{
    const struct magazine_slot *slot = this_cpu_pointer(*cache->slot);
    struct magazine *magazine;

    list_for_each_entry (magazine, &cache->magazines, link) {
        if (magazine->slot == slot) {
            collect_locked(cache, magazine, chain, fault);
            return;
        }
    }
}

void magazine_free_chain(struct list *chain)
{
    struct list *link;

    while ((link = list_first(chain))) {
        list_remove(link);
        slab_give(&slab_magazine_cache, list_entry(link, struct magazine, link), __builtin_return_address(0),
                  slab_magazine_cache.poison_words);
    }
}
