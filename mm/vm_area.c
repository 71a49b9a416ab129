/* Areas in a red-black tree by address. Each knows the gap before it, and each subtree its largest gap, so that the
 * lowest gap that is large enough is found in O(log n). The space behind the last area is no gap of any node's.
 *
 * Invariants:
 *   1. areas do not overlap and lie in [AREAS_START, VMALLOC_END)
 *   2. gap_before = start - end of the area before (or AREAS_START) */
#include "vm_area.h"

#include "kasan_map.h"

#include <base/align.h>
#include <base/assert.h>
#include <base/errno.h>
#include <base/layout.h>
#include <cpu/preempt.h>
#include <mm/fail_inject.h>
#include <mm/page_array.h>
#include <mm/slab.h>

#include "heap_fault.h"

/* The first page belongs to nobody: heap_init marks it as a guard page, which also keeps the page tables of the lowest
 * 2 MiB, where areas come and go most. */
#define AREAS_START (VMALLOC_BASE + VM_AREA_GRANULE)
#define VMALLOC_END (VMALLOC_BASE + VMALLOC_SIZE)

static void summarise(struct rbtree_node *node);

struct rbtree vm_areas = {NULL, summarise}; /* [vm_area_lock] */
struct spinlock vm_area_lock = SPINLOCK_INITIALIZER("vmalloc areas");

static struct slab_cache *area_cache; /* [I] */

static struct vm_area *area_of(const struct rbtree_node *node)
{
    return node ? CONTAINER_OF(node, struct vm_area, node) : NULL;
}

static uint64_t largest_gap(const struct rbtree_node *node)
{
    return node ? area_of(node)->largest_gap : 0;
}

static void summarise(struct rbtree_node *node)
{
    struct vm_area *area = area_of(node);
    uint64_t left = largest_gap(node->child[RBTREE_LEFT]), right = largest_gap(node->child[RBTREE_RIGHT]);

    area->largest_gap = area->gap_before;
    if (left > area->largest_gap)
        area->largest_gap = left;
    if (right > area->largest_gap)
        area->largest_gap = right;
}

int vm_area_init(void)
{
    vm_areas.root = NULL;
    area_cache = slab_cache_create("vm_area", sizeof(struct vm_area), 64, 0);
    return area_cache ? 0 : -ENOMEM;
}

/* The lowest area with at least this gap before it, or NULL. */
static struct vm_area *lowest_gap(uint64_t bytes)
{
    struct rbtree_node *node = vm_areas.root;

    if (largest_gap(node) < bytes)
        return NULL;
    for (;;) {
        if (largest_gap(node->child[RBTREE_LEFT]) >= bytes)
            node = node->child[RBTREE_LEFT];
        else if (area_of(node)->gap_before >= bytes)
            return area_of(node);
        else
            node = node->child[RBTREE_RIGHT];
    }
}

/* Where an area directly before `after` hangs: at its left, or at the right end of what is there. */
static void link_before(struct vm_area *area, struct vm_area *after)
{
    struct rbtree_node *parent = after->node.child[RBTREE_LEFT];

    if (!parent) {
        rbtree_insert(&vm_areas, &area->node, &after->node, RBTREE_LEFT);
        return;
    }
    while (parent->child[RBTREE_RIGHT])
        parent = parent->child[RBTREE_RIGHT];
    rbtree_insert(&vm_areas, &area->node, parent, RBTREE_RIGHT);
}

/* Links area, whose start and end are set, between `before` and `after`: one of them is enough, neither is there in an
 * empty tree. */
static void insert_between(struct vm_area *area, struct vm_area *before, struct vm_area *after, uint64_t gap_start)
{
    area->gap_before = area->start - gap_start;
    if (after) {
        after->gap_before = after->start - area->end;
        rbtree_value_changed(&vm_areas, &after->node);
        link_before(area, after);
    } else {
        rbtree_insert(&vm_areas, &area->node, before ? &before->node : NULL, before ? RBTREE_RIGHT : RBTREE_LEFT);
    }
}

/* Finds room and takes it. span: bytes with guard pages; slack: what alignment may cost, and that of the whole area. */
static int place_locked(struct vm_area *area, uint64_t span, uint64_t alignment, uint64_t phase)
{
    uint64_t slack = alignment - PAGE_SIZE + VM_AREA_GRANULE - PAGE_SIZE, gap_start, gap_end, base;
    struct vm_area *after = lowest_gap(span + slack), *last = NULL;

    if (after) {
        gap_end = after->start;
        gap_start = gap_end - after->gap_before;
    } else {
        last = area_of(rbtree_last(&vm_areas));
        gap_start = last ? last->end : AREAS_START;
        gap_end = VMALLOC_END;
    }
    if (gap_end - gap_start < span + slack)
        return -ENOMEM;
    base = align_up(gap_start + PAGE_SIZE - phase, alignment) + phase;
    area->start = align_down(base - PAGE_SIZE, VM_AREA_GRANULE);
    area->end = align_up(base - PAGE_SIZE + span, VM_AREA_GRANULE);
    area->base = base;
    insert_between(area, last, after, gap_start);
    return 0;
}

void vm_area_remove_locked(struct vm_area *area)
{
    struct vm_area *after = area_of(rbtree_next(&area->node));

    if (after) {
        after->gap_before += area->gap_before + (area->end - area->start);
        rbtree_value_changed(&vm_areas, &after->node);
    }
    rbtree_remove(&vm_areas, &area->node);
}

void vm_area_release(struct vm_area *area)
{
    slab_free(area_cache, area);
}

/* An area without shadow. */
static void vm_area_forget(struct vm_area *area)
{
    spinlock_lock(&vm_area_lock);
    vm_area_remove_locked(area);
    spinlock_unlock(&vm_area_lock);
    vm_area_release(area);
}

void vm_area_free(struct vm_area *area)
{
    kasan_unmap_area(area);
    vm_area_forget(area);
}

struct vm_area *vm_area_alloc(uint64_t size, uint64_t alignment, uint64_t phase, enum vm_area_kind kind,
                              const void *site)
{
    struct vm_area *area;
    int error;

    assert_may_allocate();
    if (size > VMALLOC_SIZE / 2 || alignment > VMALLOC_SIZE / 4 || fail_inject(FAIL_VMALLOC))
        return NULL;
    area = slab_alloc(area_cache, 0);
    if (!area)
        return NULL;
    area->size_bytes = size;
    area->requested_bytes = size;
    area->kind = kind;
    area->allocated_at = code_site(site);
    area->name = NULL;
    area->is_leaving = false;
    list_init(&area->pages);
    spinlock_lock(&vm_area_lock);
    error = place_locked(area, size + 2 * PAGE_SIZE, alignment, phase);
    spinlock_unlock(&vm_area_lock);
    if (error) {
        slab_free(area_cache, area);
        return NULL;
    }
    if (kasan_map_area(area) != 0) {
        vm_area_forget(area);
        return NULL;
    }
    return area;
}

struct vm_area *vm_area_find_locked(uint64_t base)
{
    struct rbtree_node *node = vm_areas.root;

    while (node && area_of(node)->base != base)
        node = node->child[base < area_of(node)->base ? RBTREE_LEFT : RBTREE_RIGHT];
    return area_of(node);
}

struct vm_area *vm_area_find(uint64_t base)
{
    struct vm_area *area;

    spinlock_lock(&vm_area_lock);
    area = vm_area_find_locked(base);
    spinlock_unlock(&vm_area_lock);
    return area;
}

/* What it steps on may just have been given back, and is memory all the same. */
NO_KASAN const struct vm_area *vm_area_of_address(uint64_t address)
{
    const struct rbtree_node *node = READ_ONCE(vm_areas.root);

    /* Deeper than any tree of 2^32 areas: a walk that meets a rotation ends all the same. */
    for (unsigned depth = 0; node && depth < 64; depth++) {
        const struct vm_area *area = area_of(node);
        const struct page *page = page_of_address(area);

        if (!page || page->owner != PAGE_SLAB || page->cache != area_cache)
            return NULL;
        if (address >= area->start && address < area->end)
            return area;
        node = READ_ONCE(node->child[address < area->start ? RBTREE_LEFT : RBTREE_RIGHT]);
    }
    return NULL;
}

void vm_area_for_each(void (*visit)(struct vm_area *area, void *argument), void *argument)
{
    spinlock_lock(&vm_area_lock);
    for (struct rbtree_node *node = rbtree_first(&vm_areas); node; node = rbtree_next(node))
        visit(area_of(node), argument);
    spinlock_unlock(&vm_area_lock);
}

void vm_area_audit_locked(struct audit_report *report)
{
    uint64_t end = AREAS_START;

    for (struct rbtree_node *node = rbtree_first(&vm_areas); node; node = rbtree_next(node)) {
        struct vm_area *area = area_of(node), copy = *area;

        if (area->start < end || area->end <= area->start || area->end > VMALLOC_END)
            audit_violation(report, "vmalloc area 0x%lx-0x%lx: overlaps or out of range", (unsigned long)area->start,
                            (unsigned long)area->end);
        else if (area->gap_before != area->start - end)
            audit_violation(report, "vmalloc area 0x%lx: gap before it 0x%lx, recorded as 0x%lx",
                            (unsigned long)area->start, (unsigned long)(area->start - end),
                            (unsigned long)area->gap_before);
        summarise(&copy.node);
        if (copy.largest_gap != area->largest_gap)
            audit_violation(report, "vmalloc area 0x%lx: largest gap of its subtree is wrong",
                            (unsigned long)area->start);
        end = area->end;
    }
}
