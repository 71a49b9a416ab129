/* audit: checks every page table, free list and slab, and says what it found. */
#include "mm_audits.h"

#include <debug/command.h>
#include <debug/console.h>
#include <mm/page_alloc.h>

static int audit(int argc, char **argv)
{
    static struct audit_report report; /* [prompt] which runs one command at a time */
    int error = audit_run(&report);

    (void)argc, (void)argv;
    for (unsigned i = 0; i < report.nr_violations && i < AUDIT_KEPT; i++)
        console_printf("violation: %s\n", report.text[i]);
    if (report.nr_violations > AUDIT_KEPT)
        console_printf("... and %u more\n", report.nr_violations - AUDIT_KEPT);
    for (const struct audit *one = audit_first(); one; one = one->next)
        console_printf("audited: %s\n", one->name);
    for (unsigned owner = 0; owner < PAGE_OWNERS; owner++)
        if (report.is_accounted[owner])
            console_printf("accounted: %lu pages, %s\n", report.nr_accounted[owner], page_owner_name(owner));
    console_printf("audit: %u violations\n", report.nr_violations);
    return error;
}

COMMAND(audit, .name = "audit", .arguments = "", .summary = "check every page table, free list and slab", .run = audit);
