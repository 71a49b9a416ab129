/* Binary buddy allocator.
 *
 * Invariants:
 *  1. A free block of order n begins at a multiple of 2^n, its first page has owner PAGE_FREE and order n and is on
 *     free[n].
 *  2. All its other pages have owner PAGE_FREE and order PAGE_ORDER_TAIL and are on no list.
 *  3. The two halves of a block of order n + 1 are never both on free[n].
 *  4. Bit n of orders_free is set exactly when free[n] is not empty. */
#include "buddy.h"

#include <base/align.h>
#include <debug/panic.h>

void buddy_init(struct buddy *buddy, pfn_t first, pfn_t end)
{
    buddy->first = first;
    buddy->end = end;
    buddy->orders_free = 0;
    buddy->nr_free = 0;
    for (unsigned order = 0; order <= PAGE_ORDER_MAX; order++) {
        buddy->nr_blocks[order] = 0;
        list_init(&buddy->free[order]);
    }
}

static void insert(struct buddy *buddy, struct page *page, unsigned order)
{
    page_set_owner_and_order(page, PAGE_FREE, order);
    list_add_first(&buddy->free[order], &page->link);
    buddy->nr_blocks[order]++;
    buddy->orders_free |= 1u << order;
}

static void extract(struct buddy *buddy, struct page *page, unsigned order)
{
    list_remove(&page->link);
    page_set_owner_and_order(page, PAGE_FREE, PAGE_ORDER_TAIL);
    if (--buddy->nr_blocks[order] == 0)
        buddy->orders_free &= ~(1u << order);
}

struct page *buddy_take(struct buddy *buddy, unsigned order)
{
    uint32_t candidates = buddy->orders_free >> order << order;

    if (candidates == 0)
        return NULL;
    unsigned found = (unsigned)__builtin_ctz(candidates);
    struct page *page = list_entry(buddy->free[found].next, struct page, link);
    if (UNLIKELY(page->owner != PAGE_FREE || page->order != found))
        panic("free list of order %u: frame 0x%lx on it says owner %s, order %u", found, page_to_pfn(page).number,
              page_owner_name(page->owner), page->order);
    extract(buddy, page, found);
    while (found > order) {
        found--;
        insert(buddy, page + ((size_t)1 << found), found);
    }
    buddy->nr_free -= 1ull << order;
    return page;
}

/* The other half of the next larger block, where it is free and whole; NULL else. */
static struct page *free_neighbour(const struct buddy *buddy, pfn_t frame, unsigned order)
{
    pfn_t other = pfn(frame.number ^ 1ull << order);

    if (order == PAGE_ORDER_MAX || other.number < buddy->first.number || other.number >= buddy->end.number)
        return NULL;
    struct page *page = page_of_pfn(other);
    return page && page_is_free_block(page, order) ? page : NULL;
}

void buddy_give(struct buddy *buddy, struct page *page, unsigned order)
{
    pfn_t frame = page_to_pfn(page);
    struct page *other;

    buddy->nr_free += 1ull << order;
    while ((other = free_neighbour(buddy, frame, order))) {
        extract(buddy, other, order);
        frame = pfn(frame.number & ~(1ull << order));
        order++;
    }
    insert(buddy, page_of_pfn(frame), order);
}

void buddy_give_range(struct buddy *buddy, pfn_t first, pfn_t end)
{
    uint64_t frame = first.number;

    while (frame < end.number) {
        unsigned order = log2_floor(end.number - frame);
        unsigned aligned = frame ? (unsigned)__builtin_ctzll(frame) : PAGE_ORDER_MAX;
        if (order > aligned)
            order = aligned;
        if (order > PAGE_ORDER_MAX)
            order = PAGE_ORDER_MAX;
        buddy_give(buddy, page_of_pfn(pfn(frame)), order);
        frame += 1ull << order;
    }
}

/* Invariants 1 to 3 for one block. */
static void audit_block(const struct buddy *buddy, const char *name, const struct page *page, unsigned order,
                        struct audit_report *report)
{
    pfn_t frame = page_to_pfn(page);

    if (page->owner != PAGE_FREE || page->order != order)
        audit_violation(report, "%s: frame 0x%lx on the list of order %u says owner %s, order %u", name, frame.number,
                        order, page_owner_name(page->owner), page->order);
    if (!is_aligned(frame.number, 1ull << order) || frame.number < buddy->first.number ||
        frame.number + (1ull << order) > buddy->end.number) {
        audit_violation(report, "%s: frame 0x%lx does not belong on the list of order %u", name, frame.number, order);
        return;
    }
    if (page->references != 0)
        audit_violation(report, "%s: free frame 0x%lx has %u references", name, frame.number, page->references);
    for (size_t i = 1; i < (size_t)1 << order; i++)
        if (page[i].owner != PAGE_FREE || page[i].order != PAGE_ORDER_TAIL)
            audit_violation(report, "%s: frame 0x%lx inside a free block of order %u says owner %s, order %u", name,
                            frame.number + i, order, page_owner_name(page[i].owner), page[i].order);
    if (free_neighbour(buddy, frame, order))
        audit_violation(report, "%s: frame 0x%lx of order %u was not merged with its neighbour", name, frame.number,
                        order);
}

static void audit_list(const struct buddy *buddy, const char *name, unsigned order, struct audit_report *report)
{
    const struct list *head = &buddy->free[order];
    uint64_t count = 0;

    for (const struct list *node = head->next; node != head; node = node->next, count++) {
        const struct page *page = list_entry(node, struct page, link);
        if (!page_is_valid(page) || node->next->prev != node || count > buddy->nr_blocks[order]) {
            audit_violation(report, "%s: the list of order %u is broken at node %p", name, order, (const void *)node);
            return;
        }
        audit_block(buddy, name, page, order, report);
    }
    if (count != buddy->nr_blocks[order])
        audit_violation(report, "%s: %lu blocks on the list of order %u, counted as %lu", name, count, order,
                        buddy->nr_blocks[order]);
    if ((buddy->orders_free >> order & 1) != (count != 0))
        audit_violation(report, "%s: the bit of order %u is wrong", name, order);
}

void buddy_audit(const struct buddy *buddy, const char *name, struct audit_report *report)
{
    uint64_t pages = 0;

    for (unsigned order = 0; order <= PAGE_ORDER_MAX; order++) {
        audit_list(buddy, name, order, report);
        pages += buddy->nr_blocks[order] << order;
    }
    if (pages != buddy->nr_free)
        audit_violation(report, "%s: %lu pages on the lists, counted as %lu", name, pages, buddy->nr_free);
}
