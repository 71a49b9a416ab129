/* Running the audits, and the account of every page: what the struct pages say against what each owner counted itself.
 */
#include <mm/audit.h>

#include "mm_audits.h"

#include <base/align.h>
#include <base/errno.h>
#include <lib/string.h>
#include <mm/page_alloc.h>

static struct audit *audits; /* [I] after init; the last registered first */

void audit_register(struct audit *audit)
{
    audit->next = audits;
    audits = audit;
}

const struct audit *audit_first(void)
{
    return audits;
}

void page_owners_count(uint64_t found[PAGE_OWNERS])
{
    memset(found, 0, PAGE_OWNERS * sizeof(found[0]));
    for (uint64_t frame = 0; frame < page_groups.nr_frames; frame += PAGE_GROUP_FRAMES) {
        const struct page *page = page_of_pfn(pfn(frame));

        for (uint64_t i = 0; page && i < PAGE_GROUP_FRAMES; i++)
            if (page[i].owner < PAGE_OWNERS)
                found[page[i].owner]++;
    }
}

/* What a struct page says must be possible. */
static void audit_page(const struct page *page, struct audit_report *report)
{
    pfn_t frame = page_to_pfn(page);
    bool begins_block = page->order <= PAGE_ORDER_MAX;

    if (page->owner >= PAGE_OWNERS)
        audit_violation(report, "frame 0x%lx: no owner has the number %u", frame.number, page->owner);
    else if (!begins_block && page->order != PAGE_ORDER_TAIL &&
             !(page->order == PAGE_ORDER_CACHED && page->owner == PAGE_FREE))
        audit_violation(report, "frame 0x%lx: order %u, owner %s", frame.number, page->order,
                        page_owner_name(page->owner));
    else if (page->references != 0 && (page->owner <= PAGE_FREE || !begins_block))
        audit_violation(report, "frame 0x%lx: %u references, but owner %s, order %u", frame.number, page->references,
                        page_owner_name(page->owner), page->order);
}

/* All pages of an allocated block have the owner its first page has. */
static void audit_block_owner(const struct page *page, struct audit_report *report)
{
    pfn_t frame = page_to_pfn(page);

    if (page->owner <= PAGE_FREE || page->order > PAGE_ORDER_MAX)
        return;
    if (!is_aligned(frame.number, 1ull << page->order)) {
        audit_violation(report, "frame 0x%lx begins a block of order %u but is not aligned", frame.number, page->order);
        return;
    }
    for (size_t i = 1; i < (size_t)1 << page->order; i++) {
        if (page_is_valid(page + i) && page[i].owner == page->owner && page[i].order == PAGE_ORDER_TAIL)
            continue;
        audit_violation(report, "frame 0x%lx: not of the owner of the block it is inside of, or not inside of it",
                        frame.number + i);
        return;
    }
}

static void audit_all_pages(struct audit_report *report)
{
    for (uint64_t frame = 0; frame < page_groups.nr_frames; frame += PAGE_GROUP_FRAMES) {
        const struct page *page = page_of_pfn(pfn(frame));

        for (uint64_t i = 0; page && i < PAGE_GROUP_FRAMES; i++) {
            audit_page(page + i, report);
            audit_block_owner(page + i, report);
        }
    }
}

static void compare_accounts(struct audit_report *report)
{
    uint64_t found[PAGE_OWNERS];

    page_owners_count(found);
    for (unsigned owner = 0; owner < PAGE_OWNERS; owner++)
        if (report->is_accounted[owner] && report->nr_accounted[owner] != found[owner])
            audit_violation(report, "%lu pages say owner %s, accounted for are %lu", found[owner],
                            page_owner_name(owner), report->nr_accounted[owner]);
}

int audit_run(struct audit_report *report)
{
    memset(report, 0, sizeof(*report));
    audit_all_pages(report);
    for (struct audit *audit = audits; audit; audit = audit->next)
        audit->run(report);
    compare_accounts(report);
    return report->nr_violations ? -EBADMSG : 0;
}
