/* The audit can fail: each damage is planted by hand, seen, and undone. */
#include <base/errno.h>
#include <boot/image.h>
#include <cpu/registers.h>
#include <debug/test.h>
#include <hw/page_table.h>
#include <lib/string.h>
#include <mm/audit.h>
#include <mm/page_alloc.h>
#include <mm/paging.h>
#include <mm/physmap.h>
#include <mm/tlb.h>

#include "../../mm/page_table.h"

static struct audit_report report; /* one test runs at a time */

/* The audit says that something is wrong, in these words. */
static bool audit_finds(const char *words)
{
    if (audit_run(&report) != -EBADMSG)
        return false;
    for (unsigned i = 0; i < report.nr_violations && i < AUDIT_KEPT; i++)
        if (strstr(report.text[i], words))
            return true;
    return false;
}

/* The entry that maps an address, or stops the walk to it. */
static uint64_t *entry_of(uint64_t address)
{
    struct page_table_step steps[PAGE_TABLE_LEVELS];
    unsigned n = page_tables_path(paddr(read_cr3() & PTE_ADDRESS), vaddr(address), steps);

    return page_table_at(steps[n - 1].table) + steps[n - 1].index;
}

/* Runs the audit with an entry changed. */
static bool finds_with(uint64_t *entry, uint64_t value, const char *words)
{
    uint64_t old = *entry;

    *entry = value;
    bool is_found = audit_finds(words);
    *entry = old;
    tlb_flush_all();
    return is_found;
}

KERNEL_TEST(audit_clean, "audit/nothing_is_wrong")
{
    int error = audit_run(&report);

    if (error)
        test_fail(__FILE_NAME__, __LINE__, "%u violations: %s", report.nr_violations, report.text[0]);
}

KERNEL_TEST(audit_entries, "audit/finds_damaged_page_table_entries")
{
    static ALIGNED(PAGE_SIZE) char data[PAGE_SIZE]; /* nobody else's page: it goes away for a moment */
    uint64_t *entry = entry_of(vaddr_of(data).value);
    uint64_t *alias = entry_of(PHYSMAP_BASE + image_to_physical(__text_start).value);
    uint64_t *root = page_table_at(paddr(read_cr3() & PTE_ADDRESS));

    EXPECT(finds_with(entry, *entry & ~PTE_NX, "writable and executable"));
    EXPECT(finds_with(entry, *entry | PTE_USER, "user bit in the kernel half"));
    EXPECT(finds_with(entry, 0x5000, "not present and no mark"));
    EXPECT(finds_with(alias, *alias & ~PTE_NX, "executable but no code"));
    EXPECT(finds_with(alias, *alias ^ PAGE_SIZE_1G, "of the physmap shows"));
    EXPECT(finds_with(alias, *alias | PTE_WRITE, "maps a frame of .text writable"));
    EXPECT(finds_with(&root[0], root[256], "mapped in the user half"));
    EXPECT(finds_with(&root[0], root[256], "page 0 is mapped"));
    EXPECT(finds_with(&root[0], root[256], "identity mapping"));
    EXPECT_EQ(audit_run(&report), 0);
}

KERNEL_TEST(audit_pages, "audit/finds_damaged_struct_pages")
{
    struct page *page = page_alloc(2, PAGE_PRIVATE, ALLOC_NORMAL);
    struct page *table = page_of_pfn(paddr_to_pfn(paddr(read_cr3() & PTE_ADDRESS)));

    EXPECT(page != NULL);
    page->owner = PAGE_PAGE_TABLE; /* one more than can be reached */
    bool has_found_owner = audit_finds("say owner page table");
    page->owner = PAGE_PRIVATE;
    page[1].references = 3;
    bool has_found_references = audit_finds("3 references");
    page[1].references = 0;
    page[3].order = 7;
    bool has_found_order = audit_finds("the block it is inside of");
    page[3].order = PAGE_ORDER_TAIL;
    page_free(page, 2);
    page->owner = PAGE_KERNEL; /* while it is on a free list */
    bool has_found_free = audit_finds("say owner free");
    page->owner = PAGE_FREE;
    table->references++;
    bool has_found_count = audit_finds("entries in use, counted as");
    table->references--;

    EXPECT(has_found_owner);
    EXPECT(has_found_references);
    EXPECT(has_found_order);
    EXPECT(has_found_free);
    EXPECT(has_found_count);
    EXPECT_EQ(audit_run(&report), 0);
}
