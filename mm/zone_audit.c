/* The audit of the page allocator: the buddy lists of every zone, the CPUs' lists of single pages, and that both
 * together hold every free page and boot every other. */
#include "kernel_tables.h"
#include "mm_audits.h"
#include "zone.h"

#include <debug/test.h>
#include <mm/page_alloc.h>

/* Frames of usable RAM; frame 0 is never given to anybody. */
static uint64_t nr_usable(void)
{
    struct ram_range range;
    uint64_t pages = 0;

    for (unsigned i = 0; ram_next(boot_info(), &i, &range);)
        if (range.kind == MEMORY_USABLE)
            pages += range.end.number - range.first.number - (range.first.number == 0);
    return pages;
}

static void run(struct audit_report *report)
{
    uint64_t total = 0;

    for (unsigned id = 0; id < ZONES; id++) {
        struct zone *zone = zone_get((enum zone_id)id);
        uint64_t flags = spinlock_lock_irqsave(&zone->lock);

        buddy_audit(&zone->buddy, zone->name, report);
        audit_account(report, PAGE_FREE, zone->buddy.nr_free);
        total += zone->nr_total;
        spinlock_unlock_irqrestore(&zone->lock, flags);
        audit_account(report, PAGE_FREE, page_alloc_cached((enum zone_id)id));
    }
    page_alloc_audit_lists(report);
    audit_account(report, PAGE_KERNEL, nr_usable() - total); /* never given to the allocator: the image, boot's data */
}

struct audit zone_audit = {.name = "zones and free pages", .run = run};

static uint64_t free_pages(void)
{
    return page_counts().free;
}

TEST_COUNTER(free_pages, "free pages", NULL, free_pages);
TEST_SETTLE_CPU(page_lists,
                page_alloc_drain_cpu); /* what a CPU keeps is counted as free, and nobody else can have it */
