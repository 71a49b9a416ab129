/* Self-checks of memory: page tables, free lists, slabs. A module registers its own; `audit` runs them all. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <mm/page.h>

#define AUDIT_KEPT      16u
#define AUDIT_TEXT_SIZE 112u

/* What an audit found. Texts are kept and printed when no lock is held; those past AUDIT_KEPT are only counted. */
struct audit_report {
    unsigned nr_violations;
    char text[AUDIT_KEPT][AUDIT_TEXT_SIZE];
    bool is_accounted[PAGE_OWNERS];     /* somebody counted the pages of this owner by another way than struct page */
    uint64_t nr_accounted[PAGE_OWNERS]; /* and found so many */
};

/* Records one violation. Context: any. */
PRINTF(2, 3) void audit_violation(struct audit_report *report, const char *format, ...);

/* Says that a module holds nr_pages of this owner. Where any module accounts for an owner, the sum over all of them
 * must be what the struct pages say. Context: any. */
void audit_account(struct audit_report *report, enum page_owner owner, uint64_t nr_pages);

struct audit {
    const char *name; /* "slab caches" */
    /* Checks, calls audit_violation for each thing wrong and audit_account. Must not print. Context: thread. */
    void (*run)(struct audit_report *report);
    struct audit *next; /* [I] set by audit_register */
};

/* The audit stays registered for ever. Context: init. */
void audit_register(struct audit *audit);

/* Runs every registered audit into *report, which it clears first, and compares the accounts. Returns 0, or -EBADMSG
 * where there were violations. Context: thread; exact when nothing else runs. */
MUST_CHECK int audit_run(struct audit_report *report);
