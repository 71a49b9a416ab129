/* Zones of physical pages, and a list of single pages for each CPU in front of them.
 *
 * A single page of the zone that most requests look in first (NORMAL, or DMA32 where there is no more) is allocated
 * from and freed to this CPU's list with interrupts off and no lock; only when the list runs empty or full are
 * LIST_BATCH pages moved from or to the zone's buddy allocator under the zone's lock. Blocks, and pages of other zones,
 * go to the buddy allocators directly. Interrupt handlers may allocate, so the zone locks are irqsave locks; nothing is
 * called with one held. */
#include <mm/page_alloc.h>

#include "buddy.h"
#include "zone.h"

#include <base/align.h>
#include <base/kasan.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <debug/panic.h>
#include <lib/string.h>
#include <mm/fail_inject.h>
#include <mm/init.h>
#include <mm/physmap.h>
#include <sync/spinlock.h>

#define LIST_CAPACITY 63u
#define LIST_BATCH    16u

/* [each zone's lock] */
static struct zone zones[ZONES] = {
    [ZONE_LOW] = {.name = "LOW", .lock = SPINLOCK_INITIALIZER("zone LOW")},
    [ZONE_DMA32] = {.name = "DMA32", .lock = SPINLOCK_INITIALIZER("zone DMA32")},
    [ZONE_NORMAL] = {.name = "NORMAL", .lock = SPINLOCK_INITIALIZER("zone NORMAL")},
};

/* The zone that the CPUs' lists are for, the highest that has pages, and its frames that have a struct page: what
 * page_free compares with. [I] once the first CPU has its list. */
static struct {
    enum zone_id id;
    uint64_t first, nr_frames;
} list_zone;

/* entries[0] is NULL and ends the list downwards. All fields [c], with interrupts off; others read top. */
struct cpu_pages {
    struct page **top;                       /* the page freed last, or entries */
    struct page **limit;                     /* top of a full list */
    struct cpu_pages *next;                  /* [I] of the next CPU */
    struct page *entries[1 + LIST_CAPACITY]; /* owner PAGE_FREE, order PAGE_ORDER_CACHED */
};

static PER_CPU struct cpu_pages cpu_pages; /* [c] with interrupts off */
static struct cpu_pages *all_cpu_pages; /* [a] page_alloc_cpu_init adds (tests/models/page_lists.pml), nobody removes */

void page_alloc_init(void)
{
    static const uint64_t ends[ZONES] = {ZONE_LOW_END, ZONE_DMA32_END, UINT64_MAX};
    uint64_t first = 0;

    for (unsigned i = 0; i < ZONES; first = ends[i++]) {
        buddy_init(&zones[i].buddy, pfn(first), pfn(ends[i]));
        zones[i].nr_total = 0;
    }
    all_cpu_pages = NULL;
}

static void choose_list_zone(void)
{
    enum zone_id id = zones[ZONE_NORMAL].nr_total != 0 ? ZONE_NORMAL : ZONE_DMA32;
    uint64_t first = zones[id].buddy.first.number, end = zones[id].buddy.end.number;

    if (end > page_groups.nr_frames)
        end = page_groups.nr_frames;
    list_zone.id = id;
    list_zone.first = first;
    list_zone.nr_frames = end > first ? end - first : 0;
}

void page_alloc_cpu_init(void)
{
    struct cpu_pages *mine = this_cpu_pointer(cpu_pages);

    if (!__atomic_load_n(&all_cpu_pages, __ATOMIC_RELAXED))
        choose_list_zone();
    mine->entries[0] = NULL;
    mine->top = mine->entries;
    mine->limit = mine->entries + LIST_CAPACITY;
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
        kasan_poison(phys_to_virt(pfn_to_paddr(first)), (stop.number - first.number) << PAGE_SHIFT, KASAN_PAGE_FREE);
        zone->nr_total += stop.number - first.number;
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
    kasan_unpoison(page_to_address(page), PAGE_SIZE << order);
    for (size_t i = (size_t)1 << order; i-- > 1;) {
        page[i].private_data = 0;
        page_set_owner_and_order(&page[i], owner, PAGE_ORDER_TAIL);
        page[i].in_use = 0;
    }
    page->private_data = 0;
    page->references = 1;
    page_set_owner_and_order(page, owner, order);
    page->in_use = 0;
}

/* first_order: what the first page says, which is nothing that merges. */
static inline void mark_free(struct page *page, unsigned order, unsigned first_order)
{
    for (size_t i = (size_t)1 << order; i-- > 0;) {
        page_set_owner_and_order(&page[i], PAGE_FREE, i == 0 ? first_order : PAGE_ORDER_TAIL);
        page[i].in_use = 0;
    }
    page->references = 0;
    if (CONFIG_DEBUG)
        poison(page);
    kasan_poison(page_to_address(page), PAGE_SIZE << order, KASAN_PAGE_FREE);
}

/* Takes up to LIST_BATCH single pages of the zone into this CPU's list, which is empty. Interrupts are off. */
static NOINLINE void refill(void)
{
    struct cpu_pages *mine = this_cpu_pointer(cpu_pages);
    struct zone *zone = &zones[list_zone.id];

    spinlock_lock(&zone->lock);
    for (unsigned i = 0; i < LIST_BATCH; i++) {
        struct page *page = buddy_take(&zone->buddy, 0);
        if (!page)
            break;
        page_set_owner_and_order(page, PAGE_FREE, PAGE_ORDER_CACHED);
        *++mine->top = page;
    }
    spinlock_unlock(&zone->lock);
}

static uint64_t list_length(const struct cpu_pages *list)
{
    return (uint64_t)(READ_ONCE(list->top) - list->entries);
}

/* Gives the `count` pages that were freed first back to the zone. Interrupts are off. */
static NOINLINE void drain(uint64_t count)
{
    struct cpu_pages *mine = this_cpu_pointer(cpu_pages);
    struct zone *zone = &zones[list_zone.id];

    spinlock_lock(&zone->lock);
    for (uint64_t i = 1; i <= count; i++) {
        page_set_owner_and_order(mine->entries[i], PAGE_FREE, PAGE_ORDER_TAIL);
        buddy_give(&zone->buddy, mine->entries[i], 0);
    }
    spinlock_unlock(&zone->lock);
    memmove(mine->entries + 1, mine->entries + 1 + count, (list_length(mine) - count) * sizeof(mine->entries[0]));
    mine->top -= count;
}

void page_alloc_drain_cpu(void)
{
    uint64_t flags = irq_save();

    drain(list_length(this_cpu_pointer(cpu_pages)));
    irq_restore(flags);
}

static COLD NORETURN NOINLINE void bad_list(const struct page *page)
{
    panic("list of free pages: frame 0x%lx on it says owner %s, order %u", page_to_pfn(page).number,
          page_owner_name(page->owner), page->order);
}

static enum zone_id first_choice(unsigned alloc_flags)
{
    if (alloc_flags & ALLOC_LOW)
        return ZONE_LOW;
    return alloc_flags & ALLOC_DMA32 ? ZONE_DMA32 : ZONE_NORMAL;
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
static inline struct page *alloc_from_list(enum page_owner owner)
{
    uint64_t flags = irq_save();
    struct page **top = this_cpu_read(cpu_pages.top);
    struct page *page = *top;

    if (LIKELY(page != NULL)) {
        if (UNLIKELY(page->owner != PAGE_FREE || page->order != PAGE_ORDER_CACHED))
            bad_list(page);
        this_cpu_write(cpu_pages.top, top - 1);
        mark_allocated(page, 0, owner);
    }
    irq_restore(flags);
    return page;
}

/* Interrupts were on since the list was found empty: it may have got pages, or this may be another CPU with its own. */
static struct page *refill_and_alloc(enum page_owner owner)
{
    uint64_t flags = irq_save();

    if (this_cpu_read(cpu_pages.top) == this_cpu_pointer(cpu_pages)->entries)
        refill();
    struct page *page = alloc_from_list(owner);
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

    if (order > PAGE_ORDER_MAX || fail_inject(FAIL_PAGE))
        return NULL;
    if (order == 0 && first >= list_zone.id) {
        page = alloc_from_list(owner);
        if (!page)
            page = refill_and_alloc(owner);
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

    if (LIKELY((order | alloc_flags | READ_ONCE(fail_inject_kinds)) == 0))
        page = alloc_from_list(owner);
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

static void check_free(const struct page *page, unsigned order)
{
    static_assert(PAGE_RESERVED < PAGE_FREE && PAGE_FREE < PAGE_KERNEL, "owners up to PAGE_FREE are not allocated");

    if (UNLIKELY(page->owner <= PAGE_FREE || page->order != order || page->references != 1))
        bad_free(page, order);
}

/* Everything but a single page that finds room on this CPU's list. */
static NOINLINE void free_slow(struct page *page, unsigned order)
{
    if (!page_is_valid(page))
        bad_free(page, order);
    check_free(page, order);
    enum zone_id id = zone_of(page_to_pfn(page));
    if (order == 0 && id == list_zone.id) {
        uint64_t flags = irq_save();
        if (this_cpu_read(cpu_pages.top) == this_cpu_read(cpu_pages.limit))
            drain(LIST_BATCH);
        irq_restore(flags);
        page_free(page, order);
        return;
    }
    uint64_t flags = spinlock_lock_irqsave(&zones[id].lock);
    mark_free(page, order, PAGE_ORDER_TAIL);
    buddy_give(&zones[id].buddy, page, order);
    spinlock_unlock_irqrestore(&zones[id].lock, flags);
}

/* Puts a single page on this CPU's list; false where the list is full. */
static inline bool free_to_list(struct page *page)
{
    uint64_t flags = irq_save();
    struct page **top = this_cpu_read(cpu_pages.top);
    bool has_room = top != this_cpu_read(cpu_pages.limit);

    if (LIKELY(has_room)) {
        mark_free(page, 0, PAGE_ORDER_CACHED);
        *++top = page;
        this_cpu_write(cpu_pages.top, top);
    }
    irq_restore(flags);
    return has_room;
}

/* The pointer is that of the struct page of a frame of the lists' zone. Rotated, what is not a multiple of the size
 * becomes too large to be a frame; a frame that is no RAM faults when its struct page is read, which the report
 * explains. */
static inline bool is_of_list_zone(const struct page *page)
{
    uint64_t offset = (uint64_t)(uintptr_t)page - (uint64_t)(uintptr_t)page_array();
    uint64_t frame = offset / sizeof(*page) | offset << (64 - __builtin_ctz(sizeof(*page)));

    return frame - list_zone.first < list_zone.nr_frames;
}

void page_free(struct page *page, unsigned order)
{
    if (UNLIKELY(order != 0 || !is_of_list_zone(page))) {
        free_slow(page, order);
        return;
    }
    check_free(page, 0);
    if (UNLIKELY(!free_to_list(page)))
        free_slow(page, 0);
}

uint64_t page_alloc_cached(enum zone_id id)
{
    uint64_t cached = 0;

    /* Acquire: pairs with the release in page_alloc_cpu_init. */
    for (struct cpu_pages *cpu = __atomic_load_n(&all_cpu_pages, __ATOMIC_ACQUIRE); cpu; cpu = cpu->next)
        cached += list_length(cpu);
    return id == list_zone.id ? cached : 0;
}

static void audit_list(const struct cpu_pages *list, struct audit_report *report)
{
    for (uint64_t i = 1; i <= list_length(list) && i <= LIST_CAPACITY; i++) {
        const struct page *page = list->entries[i];

        if (!page_is_valid(page) || page->owner != PAGE_FREE || page->order != PAGE_ORDER_CACHED ||
            zone_of(page_to_pfn(page)) != list_zone.id)
            audit_violation(report, "%s: entry %lu of a list of free pages is %p, none of its pages",
                            zones[list_zone.id].name, i, (const void *)page);
    }
}

void page_alloc_audit_lists(struct audit_report *report)
{
    for (struct cpu_pages *cpu = __atomic_load_n(&all_cpu_pages, __ATOMIC_ACQUIRE); cpu; cpu = cpu->next)
        audit_list(cpu, report);
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
