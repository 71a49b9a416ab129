/* TLSF behind kmalloc's contract: arenas, alignment, flags, and the same always-on checks as the slab heap. */
#include <mm/heap_design.h>

#include <lib/string.h>
#include <mm/fail_inject.h>
#include <mm/heap_report.h>
#include <mm/kmalloc.h>
#include <mm/page_alloc.h>

#include "kmalloc_large.h"
#include "tlsf_internal.h"

#define REDZONE_BYTES sizeof(uint64_t)

typedef uint64_t unaligned_u64 __attribute__((aligned(1)));

struct tlsf_heap tlsf_normal, tlsf_dma32; /* [each heap's lock] */

void tlsf_init(void)
{
    tlsf_heap_init(&tlsf_normal, "tlsf", 0);
    tlsf_heap_init(&tlsf_dma32, "tlsf DMA32", ALLOC_DMA32);
}

/* The whole arena is one free block before the end block. */
static struct tlsf_arena *arena_create(struct tlsf_heap *heap, uint64_t block_size)
{
    uint64_t wanted = block_size + sizeof(struct tlsf_arena) + 2 * sizeof(struct tlsf_block) + TLSF_ALIGNMENT;
    /* A list holds blocks from its step on: a request finds its arena's block only where that is a step larger. */
    unsigned order = TLSF_ARENA_ORDER;
    struct tlsf_block *block, *end;
    struct tlsf_arena *arena;
    struct page *page;

    wanted += wanted >> TLSF_SECOND_SHIFT;
    while (PAGE_SIZE << order < wanted)
        order++;
    page = page_alloc(order, PAGE_PRIVATE, heap->page_flags);
    if (!page)
        return NULL;
    arena = page_to_address(page);
    for (size_t i = 0; i < (size_t)1 << order; i++)
        page[i].private_data = (uint64_t)(uintptr_t)arena;
    *arena = (struct tlsf_arena){.heap = heap, .page = page, .size = PAGE_SIZE << order};
    block = tlsf_first(arena);
    end = (struct tlsf_block *)((char *)arena + arena->size) - 1;
    *block = (struct tlsf_block){.size = (uint32_t)((char *)end - (char *)block), .state = TLSF_FREE};
    *end = (struct tlsf_block){.previous_size = block->size, .state = TLSF_USED};
    return arena;
}

static void arena_destroy(struct tlsf_arena *arena)
{
    struct page *page = arena->page;
    unsigned order = page->order;

    for (size_t i = 0; i < (size_t)1 << order; i++)
        page[i].private_data = 0;
    page_free(page, order);
}

static void arena_add_locked(struct tlsf_heap *heap, struct tlsf_arena *arena, struct heap_fault *fault)
{
    list_add_first(&heap->arenas, &arena->link);
    heap->pages += arena->size >> PAGE_SHIFT;
    (void)tlsf_put(heap, tlsf_first(arena), fault);
}

static struct tlsf_arena *arena_of(const void *object)
{
    const struct page *page = page_of_address(object);

    return page && page->owner == PAGE_PRIVATE ? (struct tlsf_arena *)(uintptr_t)page->private_data : NULL;
}

/* Bytes to skip so that the payload is aligned: 0, or room for a block of its own. */
static uint64_t gap_for(struct tlsf_block *block, uint64_t alignment)
{
    uint64_t payload = (uint64_t)(uintptr_t)tlsf_payload(block), aligned = align_up(payload, alignment);

    while (aligned != payload && aligned - payload < TLSF_BLOCK_MIN)
        aligned += alignment;
    return aligned - payload;
}

static void *take_locked(struct tlsf_heap *heap, uint64_t block_size, uint64_t alignment, uint32_t state, uint32_t site,
                         struct heap_fault *fault)
{
    uint64_t slack = alignment > TLSF_ALIGNMENT ? alignment + TLSF_BLOCK_MIN : 0;
    struct tlsf_block *block = tlsf_take(heap, block_size + slack, fault);

    if (!block)
        return NULL;
    if (slack)
        block = tlsf_skip(heap, block, gap_for(block, alignment));
    block->state = state; /* before what is behind it is looked at */
    block->allocated_at = site;
    tlsf_trim(heap, block, block_size);
    arena_of(block)->used++;
    return tlsf_payload(block);
}

static void *tlsf_alloc(size_t size, unsigned flags)
{
    const void *site = __builtin_return_address(0);
    struct tlsf_heap *heap = flags & ALLOC_DMA32 ? &tlsf_dma32 : &tlsf_normal;
    uint64_t alignment = is_power_of_two(size) && size > TLSF_ALIGNMENT ? size : TLSF_ALIGNMENT;
    uint64_t block_size = align_up(sizeof(struct tlsf_block) + size + REDZONE_BYTES, TLSF_ALIGNMENT);
    struct heap_fault fault = {0};
    struct tlsf_arena *arena = NULL;
    uint64_t irq;
    char *object;

    if (size - 1 >= TLSF_REQUEST_MAX)
        return kmalloc_large(size, flags, site);
    if (fail_inject(FAIL_SLAB))
        return NULL;
    alignment = alignment > PAGE_SIZE ? PAGE_SIZE : alignment;
    block_size = block_size < TLSF_BLOCK_MIN ? TLSF_BLOCK_MIN : block_size;
    for (;;) {
        irq = spinlock_lock_irqsave(&heap->lock);
        if (arena)
            arena_add_locked(heap, arena, &fault);
        object = take_locked(heap, block_size, alignment, TLSF_USED | (uint32_t)size, code_site(site), &fault);
        spinlock_unlock_irqrestore(&heap->lock, irq);
        if (fault.class_words)
            heap_fault_report(&fault);
        if (object)
            break;
        arena = arena_create(heap, block_size + (alignment > TLSF_ALIGNMENT ? alignment + TLSF_BLOCK_MIN : 0));
        if (!arena)
            return NULL;
    }
    *(unaligned_u64 *)(object + size) = HEAP_REDZONE;
    if (flags & ALLOC_ZERO)
        memset(object, 0, size);
    return object;
}

/* object is no block in use: it lies within a free one (it was one before, and was merged), or within one in use. */
static const char *find_container(struct tlsf_arena *arena, void *object, struct heap_fault *fault)
{
    struct tlsf_block *block = tlsf_first(arena), *end = (struct tlsf_block *)((char *)arena + arena->size) - 1;

    while (block < end && block->size >= TLSF_BLOCK_MIN && (char *)tlsf_next(block) <= (char *)object)
        block = tlsf_next(block);
    fault->allocated_at = block->allocated_at;
    if (!tlsf_is_free(block))
        return HEAP_MIDDLE_OF_OBJECT;
    fault->freed_at = block->state & CODE_SITE_MASK;
    return HEAP_DOUBLE_FREE;
}

/* Why object is none that may be freed; NULL where it may. Fills fault's sites. */
static const char *find_mistake(struct tlsf_arena *arena, void *object, struct heap_fault *fault)
{
    struct tlsf_block *block = (struct tlsf_block *)object - 1, *end;
    uint64_t offset = (uint64_t)((char *)object - (char *)arena), redzone;
    uint32_t size;

    end = (struct tlsf_block *)((char *)arena + arena->size) - 1;
    if (offset % TLSF_ALIGNMENT || block < tlsf_first(arena) || block >= end)
        return HEAP_MIDDLE_OF_OBJECT;
    size = block->state & ~TLSF_USED_MASK;
    if ((block->state & TLSF_USED_MASK) != TLSF_USED || block->size % TLSF_ALIGNMENT || block->size < TLSF_BLOCK_MIN ||
        (uint64_t)((char *)end - (char *)block) < block->size || size + REDZONE_BYTES > block->size - sizeof(*block))
        return find_container(arena, object, fault);
    fault->size = size;
    fault->allocated_at = block->allocated_at;
    redzone = *(unaligned_u64 *)((char *)object + size);
    if (redzone == HEAP_REDZONE)
        return tlsf_next(block)->previous_size == block->size ? NULL : HEAP_TRAILER_OVERWRITTEN;
    for (unsigned i = sizeof(redzone); i-- > 0;) {
        uint8_t found = (uint8_t)(redzone >> 8 * i), expected = (uint8_t)(HEAP_REDZONE >> 8 * i);

        if (found == expected)
            continue;
        fault->nr_bytes++;
        fault->offset = size + i;
        fault->found = found;
        fault->expected = expected;
    }
    return HEAP_REDZONE_OVERWRITTEN;
}

/* Frees the block; returns the arena where that leaves it empty, out of the heap, if it is not the only one. */
static struct tlsf_arena *put_locked(struct tlsf_heap *heap, struct tlsf_arena *arena, struct tlsf_block *block,
                                     struct heap_fault *fault)
{
    block = tlsf_put(heap, block, fault);
    if (fault->class_words || --arena->used)
        return NULL;
    if (heap->arenas.next == heap->arenas.prev)
        return NULL;
    tlsf_withdraw(heap, block);
    list_remove(&arena->link);
    heap->pages -= arena->size >> PAGE_SHIFT;
    return arena;
}

static void tlsf_free(void *object)
{
    const void *site = __builtin_return_address(0);
    struct tlsf_arena *arena = arena_of(object);
    struct page *page = page_of_address(object);
    struct tlsf_heap *heap;
    struct heap_fault fault = {.cache_name = "tlsf", .object = object, .freed_again_at = code_site(site)};
    struct tlsf_block *block;
    uint64_t irq;

    if (!object)
        return;
    if (!arena) {
        if (page && page->owner == PAGE_LARGE) {
            kfree_large(page, object, site);
            return;
        }
        fault.cache_name = NULL;
        fault.class_words = HEAP_NOT_AN_OBJECT;
        heap_fault_report(&fault);
    }
    heap = arena->heap;
    block = (struct tlsf_block *)object - 1;
    irq = spinlock_lock_irqsave(&heap->lock);
    fault.class_words = find_mistake(arena, object, &fault);
    if (!fault.class_words) {
        block->state = TLSF_FREE | code_site(site);
        arena = put_locked(heap, arena, block, &fault);
    }
    spinlock_unlock_irqrestore(&heap->lock, irq);
    if (fault.class_words)
        heap_fault_report(&fault);
    if (arena)
        arena_destroy(arena);
}

static uint64_t settle_heap(struct tlsf_heap *heap)
{
    struct list chain = LIST_INITIALIZER(chain);
    struct tlsf_arena *arena, *after;
    uint64_t irq = spinlock_lock_irqsave(&heap->lock), pages = 0;

    list_for_each_entry_safe (arena, after, &heap->arenas, link) {
        if (arena->used)
            continue;
        tlsf_withdraw(heap, tlsf_first(arena));
        list_remove(&arena->link);
        list_add_last(&chain, &arena->link);
        pages += arena->size >> PAGE_SHIFT;
    }
    heap->pages -= pages;
    spinlock_unlock_irqrestore(&heap->lock, irq);
    while (!list_is_empty(&chain)) {
        arena = list_entry(list_first(&chain), struct tlsf_arena, link);
        list_remove(&arena->link);
        arena_destroy(arena);
    }
    return pages;
}

static uint64_t settle(void)
{
    return settle_heap(&tlsf_normal) + settle_heap(&tlsf_dma32);
}

static uint64_t pages(void)
{
    return READ_ONCE(tlsf_normal.pages) + READ_ONCE(tlsf_dma32.pages) + large_pages();
}

const struct heap_design heap_design_tlsf = {"tlsf", tlsf_alloc, tlsf_free, settle, pages};
