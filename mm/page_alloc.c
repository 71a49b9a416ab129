/* Zones of physical pages, and per-CPU lists of single pages in front of them.
 *
 * A single page is allocated from and freed to this CPU's list with interrupts off and no lock; only when the list runs
 * empty or full are LIST_BATCH pages moved from or to the zone's buddy allocator under the zone's lock. Blocks, and
 * pages of the LOW zone, go to the buddy allocator directly. Interrupt handlers may allocate, so the zone locks are
 * irqsave locks; nothing is called with one held. */
#include <mm/page_alloc.h>

#include "buddy.h"
#include "zone.h"

#include <base/align.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <debug/panic.h>
#include <lib/string.h>
#include <mm/init.h>
#include <mm/physmap.h>
#include <sync/spinlock.h>

#define LIST_CAPACITY 63u
#define LIST_BATCH    16u

static struct zone zones[ZONES] = {
    [ZONE_LOW] = {.name = "LOW", .lock = SPINLOCK_INITIALIZER("zone LOW")},
    [ZONE_DMA32] = {.name = "DMA32", .lock = SPINLOCK_INITIALIZER("zone DMA32")},
    [ZONE_NORMAL] = {.name = "NORMAL", .lock = SPINLOCK_INITIALIZER("zone NORMAL")},
};

/* The highest zone that has pages: where a request without wishes looks first. [I] after init, but for zones that come
 * late. */
static enum zone_id highest_zone = ZONE_DMA32;

struct page_list {
    uint64_t count;                    /* [c] others read it */
    struct page *pages[LIST_CAPACITY]; /* [c] owner PAGE_FREE, order PAGE_ORDER_CACHED; the last freed is last */
};

struct cpu_pages {
    struct cpu_pages *next;        /* [I] of the next CPU */
    struct page_list lists[ZONES]; /* [c] with interrupts off; LOW's stays empty */
};

static PER_CPU struct cpu_pages cpu_pages;
static struct cpu_pages *all_cpu_pages; /* [a] added to by page_alloc_cpu_init, never removed from */

void page_alloc_init(void)
{
    static const uint64_t ends[ZONES] = {ZONE_LOW_END, ZONE_DMA32_END, UINT64_MAX};
    uint64_t first = 0;

    for (unsigned i = 0; i < ZONES; first = ends[i++]) {
        buddy_init(&zones[i].buddy, pfn(first), pfn(ends[i]));
        zones[i].nr_total = 0;
    }
    highest_zone = ZONE_DMA32;
    all_cpu_pages = NULL;
}

void page_alloc_cpu_init(void)
{
    struct cpu_pages *mine = this_cpu_pointer(cpu_pages);

    for (unsigned id = 0; id < ZONES; id++)
        mine->lists[id].count = 0;
    mine->next = __atomic_load_n(&all_cpu_pages, __ATOMIC_RELAXED);
    /* Release: page_counts reads next after it (acquire). */
    while (!__atomic_compare_exchange_n(&all_cpu_pages, &mine->next, mine, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        ;
}

struct zone *zone_get(enum zone_id id)
{
    return &zones[id];
}

static enum zone_id zone_of(pfn_t frame)
{
    if (frame.number >= ZONE_DMA32_END)
        return ZONE_NORMAL;
    return frame.number >= ZONE_LOW_END ? ZONE_DMA32 : ZONE_LOW;
}

void page_alloc_add(pfn_t first, pfn_t end)
{
    while (first.number < end.number) {
        enum zone_id id = zone_of(first);
        struct zone *zone = &zones[id];
        pfn_t stop = zone->buddy.end.number < end.number ? zone->buddy.end : end;

        uint64_t flags = spinlock_lock_irqsave(&zone->lock);
        buddy_give_range(&zone->buddy, first, stop);
        zone->nr_total += stop.number - first.number;
        if (id > highest_zone)
            highest_zone = id;
        spinlock_unlock_irqrestore(&zone->lock, flags);
        first = stop;
    }
}

void page_alloc_adopt(pfn_t frame)
{
    zones[zone_of(frame)].nr_total++;
}

/* Debug builds fill the first cache line of a freed page and look at it again when the page is allocated; in_use of a
 * free page says that it was filled (memory that was never allocated is not touched). */
#define POISON       0xf5ee0a6ef5ee0a6eull
#define POISONED     0xf5eeu
#define POISON_WORDS 8u

static void poison(struct page *page)
{
    uint64_t *words = page_to_address(page);

    page->in_use = POISONED;
    for (unsigned i = 0; i < POISON_WORDS; i++)
        words[i] = POISON;
}

static void check_poison(struct page *page)
{
    const uint64_t *words = page_to_address(page);

    if (page->in_use != POISONED)
        return;
    for (unsigned i = 0; i < POISON_WORDS; i++)
        if (words[i] != POISON)
            panic("page written after it was freed: frame 0x%lx, offset %u, holds 0x%lx", page_to_pfn(page).number,
                  i * 8, words[i]);
}

static void mark_allocated(struct page *page, unsigned order, enum page_owner owner)
{
    if (CONFIG_DEBUG)
        check_poison(page);
    for (size_t i = (size_t)1 << order; i-- > 1;) {
        page[i].private_data = 0;
        page[i].owner = (uint8_t)owner;
        page[i].in_use = 0;
    }
    page->private_data = 0;
    page->references = 1;
    page->owner = (uint8_t)owner;
    page->order = (uint8_t)order;
    page->in_use = 0;
}

static void mark_free(struct page *page, unsigned order)
{
    for (size_t i = (size_t)1 << order; i-- > 0;) {
        page[i].owner = PAGE_FREE;
        page[i].order = PAGE_ORDER_TAIL;
        page[i].in_use = 0;
    }
    page->references = 0;
    if (CONFIG_DEBUG)
        poison(page);
}

/* Takes up to `want` single pages of a zone into the list. Interrupts are off. */
static NOINLINE void refill(struct page_list *list, enum zone_id id, unsigned want)
{
    struct zone *zone = &zones[id];

    spinlock_lock(&zone->lock);
    while (want-- > 0) {
        struct page *page = buddy_take(&zone->buddy, 0);
        if (!page)
            break;
        page->order = PAGE_ORDER_CACHED;
        list->pages[list->count++] = page;
    }
    spinlock_unlock(&zone->lock);
}

/* Gives the oldest `count` pages of a list back to its zone. Interrupts are off. */
static NOINLINE void drain(struct page_list *list, enum zone_id id, unsigned count)
{
    struct zone *zone = &zones[id];

    spinlock_lock(&zone->lock);
    for (unsigned i = 0; i < count; i++) {
        list->pages[i]->order = PAGE_ORDER_TAIL;
        buddy_give(&zone->buddy, list->pages[i], 0);
    }
    spinlock_unlock(&zone->lock);
    list->count -= count;
    memmove(list->pages, list->pages + count, list->count * sizeof(list->pages[0]));
}

void page_alloc_drain_cpu(void)
{
    uint64_t flags = irq_save();
    struct cpu_pages *mine = this_cpu_pointer(cpu_pages);

    for (unsigned id = ZONE_DMA32; id < ZONES; id++)
        if (mine->lists[id].count != 0)
            drain(&mine->lists[id], (enum zone_id)id, mine->lists[id].count);
    irq_restore(flags);
}

static COLD NORETURN NOINLINE void bad_list(const struct page *page)
{
    panic("list of free pages: frame 0x%lx on it says owner %s, order %u", page_to_pfn(page).number,
          page_owner_name(page->owner), page->order);
}

static inline enum zone_id first_choice(unsigned alloc_flags)
{
    if (alloc_flags & ALLOC_LOW)
        return ZONE_LOW;
    return alloc_flags & ALLOC_DMA32 ? ZONE_DMA32 : highest_zone;
}

/* From the buddy allocators, the first choice and then the zones below it. */
static struct page *take_from_zones(unsigned order, enum zone_id first)
{
    struct page *page = NULL;

    for (int id = (int)first; id >= ZONE_LOW && !page; id--) {
        uint64_t flags = spinlock_lock_irqsave(&zones[id].lock);
        page = buddy_take(&zones[id].buddy, order);
        spinlock_unlock_irqrestore(&zones[id].lock, flags);
    }
    return page;
}

/* A single page from this CPU's list; NULL where the list is empty. */
static inline struct page *alloc_from_list(enum zone_id id, enum page_owner owner)
{
    uint64_t flags = irq_save();
    struct page_list *list = &this_cpu_pointer(cpu_pages)->lists[id];
    struct page *page = NULL;

    if (LIKELY(list->count != 0)) {
        page = list->pages[--list->count];
        if (UNLIKELY(page->owner != PAGE_FREE || page->order != PAGE_ORDER_CACHED))
            bad_list(page);
        mark_allocated(page, 0, owner);
    }
    irq_restore(flags);
    return page;
}

static struct page *refill_and_alloc(enum zone_id id, enum page_owner owner)
{
    uint64_t flags = irq_save();

    refill(&this_cpu_pointer(cpu_pages)->lists[id], id, LIST_BATCH);
    struct page *page = alloc_from_list(id, owner);
    irq_restore(flags);
    return page;
}

static struct page *alloc_from_zones(unsigned order, enum page_owner owner, enum zone_id first)
{
    struct page *page = take_from_zones(order, first);

    if (!page) {
        page_alloc_drain_cpu(); /* what is missing may wait there, one half of it at least */
        page = take_from_zones(order, first);
    }
    if (page)
        mark_allocated(page, order, owner);
    return page;
}

/* Everything but a single page, of any content, that is on this CPU's list. */
static NOINLINE struct page *alloc_slow(unsigned order, enum page_owner owner, unsigned alloc_flags)
{
    enum zone_id first = first_choice(alloc_flags);
    struct page *page = NULL;

    if (order > PAGE_ORDER_MAX)
        return NULL;
    if (order == 0 && first != ZONE_LOW) {
        page = alloc_from_list(first, owner);
        if (!page)
            page = refill_and_alloc(first, owner);
    }
    if (!page)
        page = alloc_from_zones(order, owner, first);
    if (page && (alloc_flags & ALLOC_ZERO))
        memset(page_to_address(page), 0, PAGE_SIZE << order);
    return page;
}

struct page *page_alloc(unsigned order, enum page_owner owner, unsigned alloc_flags)
{
    struct page *page = NULL;

    if (LIKELY(order == 0 && (alloc_flags & ~ALLOC_DMA32) == 0))
        page = alloc_from_list(first_choice(alloc_flags), owner);
    return LIKELY(page != NULL) ? page : alloc_slow(order, owner, alloc_flags);
}

static COLD NORETURN NOINLINE void bad_free(const struct page *page, unsigned order)
{
    if (!page_is_valid(page))
        panic("page_free: %p is not a struct page", (const void *)page);
    pfn_t frame = page_to_pfn(page);
    if (page->owner == PAGE_FREE)
        panic("page freed twice: frame 0x%lx, order %u", frame.number, order);
    if (page->owner == PAGE_RESERVED || page->order > PAGE_ORDER_MAX)
        panic("page_free: frame 0x%lx (owner %s) does not begin an allocated block", frame.number,
              page_owner_name(page->owner));
    if (page->order != order)
        panic("page freed with the wrong order: frame 0x%lx, allocated with %u, freed with %u", frame.number,
              page->order, order);
    panic("page freed with %u references: frame 0x%lx, owner %s", page->references, frame.number,
          page_owner_name(page->owner));
}

/* Everything but a single page that goes to this CPU's list. */
static NOINLINE void free_slow(struct page *page, unsigned order)
{
    enum zone_id id = zone_of(page_to_pfn(page));

    if (order == 0 && id != ZONE_LOW) {
        uint64_t flags = irq_save();
        drain(&this_cpu_pointer(cpu_pages)->lists[id], id, LIST_BATCH);
        irq_restore(flags);
        page_free(page, order);
        return;
    }
    uint64_t flags = spinlock_lock_irqsave(&zones[id].lock);
    mark_free(page, order);
    buddy_give(&zones[id].buddy, page, order);
    spinlock_unlock_irqrestore(&zones[id].lock, flags);
}

/* Puts a single page on this CPU's list; false where the list is full. */
static inline bool free_to_list(struct page *page, enum zone_id id)
{
    uint64_t flags = irq_save();
    struct page_list *list = &this_cpu_pointer(cpu_pages)->lists[id];
    bool has_room = list->count < LIST_CAPACITY;

    if (LIKELY(has_room)) {
        mark_free(page, 0);
        page->order = PAGE_ORDER_CACHED;
        list->pages[list->count++] = page;
    }
    irq_restore(flags);
    return has_room;
}

void page_free(struct page *page, unsigned order)
{
    static_assert(PAGE_RESERVED < PAGE_FREE && PAGE_FREE < PAGE_KERNEL, "owners up to PAGE_FREE are not allocated");

    if (UNLIKELY(!page_is_valid(page) || page->owner <= PAGE_FREE || page->order != order || page->references != 1))
        bad_free(page, order);
    enum zone_id id = zone_of(page_to_pfn(page));
    if (UNLIKELY(order != 0 || id == ZONE_LOW || !free_to_list(page, id)))
        free_slow(page, order);
}

uint64_t page_alloc_cached(enum zone_id id)
{
    uint64_t cached = 0;

    /* Acquire: pairs with the release in page_alloc_cpu_init. */
    for (struct cpu_pages *cpu = __atomic_load_n(&all_cpu_pages, __ATOMIC_ACQUIRE); cpu; cpu = cpu->next)
        cached += READ_ONCE(cpu->lists[id].count);
    return cached;
}

static void audit_list(const struct page_list *list, enum zone_id id, struct audit_report *report)
{
    for (uint64_t i = 0; i < list->count && i < LIST_CAPACITY; i++) {
        const struct page *page = list->pages[i];

        if (!page_is_valid(page) || page->owner != PAGE_FREE || page->order != PAGE_ORDER_CACHED ||
            zone_of(page_to_pfn(page)) != id)
            audit_violation(report, "%s: entry %lu of a list of free pages is %p, none of its pages", zones[id].name, i,
                            (const void *)page);
    }
}

void page_alloc_audit_lists(struct audit_report *report)
{
    for (struct cpu_pages *cpu = __atomic_load_n(&all_cpu_pages, __ATOMIC_ACQUIRE); cpu; cpu = cpu->next)
        for (unsigned id = 0; id < ZONES; id++)
            audit_list(&cpu->lists[id], (enum zone_id)id, report);
}

struct page_counts page_counts(void)
{
    struct page_counts counts = {0};

    for (unsigned id = 0; id < ZONES; id++) {
        counts.total += READ_ONCE(zones[id].nr_total);
        counts.free += READ_ONCE(zones[id].buddy.nr_free) + page_alloc_cached((enum zone_id)id);
    }
    return counts;
}
