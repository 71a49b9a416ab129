/* The block level of TLSF: lists by size, splitting and merging. */
#include "tlsf_internal.h"

#include <mm/heap_report.h>

/* Which list a block of this size belongs to. */
static void list_of(uint64_t size, unsigned *first, unsigned *second)
{
    unsigned log = log2_floor(size);

    if (log < TLSF_LINEAR_SHIFT) {
        *first = 0;
        *second = (unsigned)(size >> TLSF_SECOND_SHIFT);
    } else {
        *first = log - TLSF_LINEAR_SHIFT + 1;
        *second = (unsigned)(size >> (log - TLSF_SECOND_SHIFT)) & (TLSF_SECOND_LEVELS - 1);
    }
}

void tlsf_heap_init(struct tlsf_heap *heap, const char *name, unsigned page_flags)
{
    *heap = (struct tlsf_heap){.page_flags = page_flags};
    spinlock_init(&heap->lock, name);
    lockdep_set_class(&heap->lock.lockdep, "TLSF heap");
    list_init(&heap->arenas);
    for (unsigned i = 0; i < TLSF_FIRST_LEVELS; i++) {
        for (unsigned j = 0; j < TLSF_SECOND_LEVELS; j++)
            list_init(&heap->free[i][j]);
    }
}

static uint64_t *poison_start(struct tlsf_block *block)
{
    return (uint64_t *)((struct list *)tlsf_payload(block) + 1);
}

static unsigned poison_words(const struct tlsf_block *block)
{
    uint64_t bytes = block->size - TLSF_BLOCK_MIN;

    return (unsigned)((bytes < TLSF_POISON_BYTES ? bytes : TLSF_POISON_BYTES) / sizeof(uint64_t));
}

bool tlsf_check_poison(struct tlsf_block *block, struct heap_fault *fault)
{
    const uint64_t *word = poison_start(block);

    for (unsigned i = 0; i < poison_words(block); i++) {
        if (LIKELY(word[i] == HEAP_POISON_FREE))
            continue;
        *fault = (struct heap_fault){
            .class_words = HEAP_USE_AFTER_FREE_WRITE,
            .cache_name = "tlsf",
            .object = tlsf_payload(block),
            .size = block->size - sizeof(*block),
            .offset = sizeof(struct list) + i * sizeof(uint64_t),
            .found = word[i],
            .expected = HEAP_POISON_FREE,
            .allocated_at = block->allocated_at,
            .freed_at = block->state & CODE_SITE_MASK,
        };
        return false;
    }
    return true;
}

static void insert(struct tlsf_heap *heap, struct tlsf_block *block)
{
    uint64_t *word = poison_start(block);
    unsigned first, second;

    list_of(block->size, &first, &second);
    list_add_first(&heap->free[first][second], tlsf_payload(block));
    heap->first_bits |= 1u << first;
    heap->second_bits[first] |= 1u << second;
    for (unsigned i = 0; i < poison_words(block); i++)
        word[i] = HEAP_POISON_FREE;
}

void tlsf_withdraw(struct tlsf_heap *heap, struct tlsf_block *block)
{
    unsigned first, second;

    list_of(block->size, &first, &second);
    list_remove(tlsf_payload(block));
    if (!list_is_empty(&heap->free[first][second]))
        return;
    heap->second_bits[first] &= ~(1u << second);
    if (!heap->second_bits[first])
        heap->first_bits &= ~(1u << first);
}

/* The first list whose every block is at least size bytes. */
static struct list *list_for(struct tlsf_heap *heap, uint64_t size)
{
    unsigned first, second;
    uint32_t bits;

    if (size >= (1u << TLSF_LINEAR_SHIFT)) /* the next step up, unless size is a step */
        size += ((uint64_t)1 << (log2_floor(size) - TLSF_SECOND_SHIFT)) - 1;
    list_of(size, &first, &second);
    if (first >= TLSF_FIRST_LEVELS)
        return NULL;
    bits = heap->second_bits[first] & ~0u << second;
    if (!bits) {
        uint32_t larger = first + 1 < TLSF_FIRST_LEVELS ? heap->first_bits & ~0u << (first + 1) : 0;

        if (!larger)
            return NULL;
        first = (unsigned)__builtin_ctz(larger);
        bits = heap->second_bits[first];
    }
    return &heap->free[first][__builtin_ctz(bits)];
}

struct tlsf_block *tlsf_take(struct tlsf_heap *heap, uint64_t size, struct heap_fault *fault)
{
    struct list *list = list_for(heap, size);
    struct tlsf_block *block;

    if (!list)
        return NULL;
    block = (struct tlsf_block *)list_first(list) - 1;
    if (!tlsf_check_poison(block, fault))
        return NULL;
    tlsf_withdraw(heap, block);
    return block;
}

/* Makes [block, block + size) and what follows two blocks; returns the second. */
static struct tlsf_block *split(struct tlsf_block *block, uint64_t size)
{
    struct tlsf_block *rest = (struct tlsf_block *)((char *)block + size);

    *rest = (struct tlsf_block){
        .size = block->size - (uint32_t)size,
        .previous_size = (uint32_t)size,
        .allocated_at = block->allocated_at,
        .state = TLSF_FREE,
    };
    tlsf_next(block)->previous_size = rest->size;
    block->size = (uint32_t)size;
    return rest;
}

void tlsf_trim(struct tlsf_heap *heap, struct tlsf_block *block, uint64_t size)
{
    if (block->size - size >= TLSF_BLOCK_MIN)
        insert(heap, split(block, size)); /* what follows is in use: the block was free and had no free neighbour */
}

struct tlsf_block *tlsf_skip(struct tlsf_heap *heap, struct tlsf_block *block, uint64_t gap)
{
    struct tlsf_block *rest;

    if (!gap)
        return block;
    rest = split(block, gap);
    insert(heap, block);
    return rest;
}

/* next goes into block, which is directly before it. */
static void merge(struct tlsf_block *block, const struct tlsf_block *next)
{
    block->size += next->size;
    tlsf_next(block)->previous_size = block->size;
}

struct tlsf_block *tlsf_put(struct tlsf_heap *heap, struct tlsf_block *block, struct heap_fault *fault)
{
    struct tlsf_block *next = tlsf_next(block), *previous = tlsf_previous(block);

    if (tlsf_is_free(next)) {
        if (!tlsf_check_poison(next, fault))
            return block;
        tlsf_withdraw(heap, next);
        merge(block, next);
    }
    if (previous && tlsf_is_free(previous)) {
        if (!tlsf_check_poison(previous, fault))
            return block;
        tlsf_withdraw(heap, previous);
        previous->allocated_at = block->allocated_at;
        previous->state = block->state;
        merge(previous, block);
        block = previous;
    }
    insert(heap, block);
    return block;
}

static void audit_free_block(struct tlsf_heap *heap, struct tlsf_block *block, struct audit_report *report)
{
    struct list *list, *node;
    unsigned first, second;
    struct heap_fault fault;

    list_of(block->size, &first, &second);
    list = &heap->free[first][second];
    node = list->next;
    while (node != list && node != tlsf_payload(block))
        node = node->next;
    if (node == list)
        audit_violation(report, "tlsf: free block %p is not in its list", (void *)block);
    if (!(heap->second_bits[first] >> second & 1) || !(heap->first_bits >> first & 1))
        audit_violation(report, "tlsf: no bit for free block %p", (void *)block);
    if (tlsf_is_free(tlsf_next(block)))
        audit_violation(report, "tlsf: free neighbours at %p", (void *)block);
    if (!tlsf_check_poison(block, &fault))
        audit_violation(report, "tlsf: %p: %s", tlsf_payload(block), fault.class_words);
}

static uint64_t audit_arena(struct tlsf_heap *heap, struct tlsf_arena *arena, struct audit_report *report)
{
    struct tlsf_block *block = tlsf_first(arena), *last = (struct tlsf_block *)((char *)arena + arena->size) - 1;
    uint32_t before = 0;
    uint64_t nr_free = 0, used = 0;

    for (; block < last; block = tlsf_next(block)) {
        if (block->previous_size != before || block->size < TLSF_BLOCK_MIN || block->size % TLSF_ALIGNMENT) {
            audit_violation(report, "tlsf: block %p: size %u after %u, says %u", (void *)block, block->size, before,
                            block->previous_size);
            return nr_free;
        }
        before = block->size;
        if (tlsf_is_free(block))
            audit_free_block(heap, block, report);
        nr_free += tlsf_is_free(block);
        used += !tlsf_is_free(block);
    }
    if (block != last || last->previous_size != before || used != arena->used)
        audit_violation(report, "tlsf: arena %p: %lu blocks in use, counted as %lu", (void *)arena, (unsigned long)used,
                        (unsigned long)arena->used);
    return nr_free;
}

void tlsf_audit(struct tlsf_heap *heap, struct audit_report *report)
{
    uint64_t in_arenas = 0, in_lists = 0;
    struct tlsf_arena *arena;

    list_for_each_entry (arena, &heap->arenas, link)
        in_arenas += audit_arena(heap, arena, report);
    for (unsigned i = 0; i < TLSF_FIRST_LEVELS; i++) {
        for (unsigned j = 0; j < TLSF_SECOND_LEVELS; j++) {
            for (const struct list *node = heap->free[i][j].next; node != &heap->free[i][j]; node = node->next)
                in_lists++;
            if ((heap->second_bits[i] >> j & 1) == list_is_empty(&heap->free[i][j]))
                audit_violation(report, "tlsf: bit of list %u.%u is wrong", i, j);
        }
    }
    if (in_arenas != in_lists)
        audit_violation(report, "tlsf: %lu free blocks, %lu in lists", (unsigned long)in_arenas,
                        (unsigned long)in_lists);
}
