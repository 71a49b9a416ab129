/* The audit of the kernel's page tables. What must hold of every entry:
 *
 *  1. Nothing is writable and executable, by one mapping or by two of the same frame: frames of the image's read-only
 *     sections are writable nowhere, and only code of the image is executable.
 *  2. No user bit in the kernel half; nothing at all in the user half (these are the kernel's own tables), so no page 0
 *     and no identity map.
 *  3. An address of the physmap shows the frame of its number.
 *  4. What is not present is 0 or a mark in level 1; what leads to a table allows writing and leads to a page table's
 *     frame, which counts the entries in use.
 */
#include "kernel_tables.h"
#include "mm_audits.h"

#include <boot/image.h>
#include <cpu/registers.h>
#include <mm/page_array.h>

#define MARKS (PTE_SOFT_GUARD | PTE_SOFT_COW | PTE_SOFT_RESERVED)

/* Where the walk puts what it finds. */
struct auditor {
    struct page_table_visitor visitor;
    struct audit_report *report;
    uint64_t nr_tables;
};

static bool is_image_code(vaddr_t base, uint64_t bytes)
{
    for (unsigned i = 0; i < IMAGE_SECTIONS; i++) {
        const struct image_section *section = &image_sections[i];
        if ((section->flags & MAP_EXECUTE) && base.value >= vaddr_of(section->start).value &&
            base.value + bytes <= vaddr_of(section->end).value)
            return true;
    }
    return false;
}

static bool is_read_only(const struct image_section *section)
{
    if (section->is_init)
        return false; /* its frames may be somebody else's by now */
    return !(section->flags & MAP_WRITE) || (section->start == __ro_after_init_start && mm_init_memory_is_free());
}

/* The name of a section that may not be written, where the frames from physical on hold part of one. */
static const char *read_only_section(paddr_t physical, uint64_t bytes)
{
    for (unsigned i = 0; i < IMAGE_SECTIONS; i++) {
        const struct image_section *section = &image_sections[i];
        uint64_t start = image_to_physical(section->start).value, end = image_to_physical(section->end).value;
        if (is_read_only(section) && physical.value < end && physical.value + bytes > start)
            return section->name;
    }
    return NULL;
}

static void audit_leaf(struct audit_report *report, unsigned level, vaddr_t base, uint64_t entry)
{
    unsigned flags = page_table_entry_flags(entry);
    paddr_t physical = page_table_entry_address(entry, level);
    uint64_t span = page_table_span(level);
    const char *section = read_only_section(physical, span);

    if ((flags & MAP_WRITE) && (flags & MAP_EXECUTE))
        audit_violation(report, "0x%lx is writable and executable: entry 0x%lx, level %u", base.value, entry, level);
    else if ((flags & MAP_EXECUTE) && !is_image_code(base, span))
        audit_violation(report, "0x%lx is executable but no code of the image: entry 0x%lx", base.value, entry);
    if ((flags & MAP_WRITE) && section)
        audit_violation(report, "0x%lx maps a frame of %s writable: entry 0x%lx", base.value, section, entry);
    if (base.value >= PHYSMAP_BASE && base.value - PHYSMAP_BASE < PHYSMAP_SIZE &&
        base.value - PHYSMAP_BASE != physical.value)
        audit_violation(report, "0x%lx of the physmap shows 0x%lx", base.value, physical.value);
    if (base.value == physical.value)
        audit_violation(report, "0x%lx is an identity mapping", base.value);
    if (base.value == 0)
        audit_violation(report, "page 0 is mapped: entry 0x%lx", entry);
}

static void audit_link(struct audit_report *report, unsigned level, vaddr_t base, uint64_t entry)
{
    const struct page *page = page_of_pfn(paddr_to_pfn(paddr(entry & PTE_ADDRESS)));

    if (!page || page->owner != PAGE_PAGE_TABLE)
        audit_violation(report, "0x%lx: the entry of level %u leads to 0x%lx, which is no page table", base.value,
                        level, entry & PTE_ADDRESS);
    if (!(entry & PTE_WRITE) || (entry & PTE_NX))
        audit_violation(report, "0x%lx: the entry of level %u that leads to a table restricts: 0x%lx", base.value,
                        level, entry);
}

static void audit_entry(struct page_table_visitor *visitor, unsigned level, vaddr_t base, uint64_t entry)
{
    struct audit_report *report = ((struct auditor *)visitor)->report;

    if (!vaddr_is_kernel(base))
        audit_violation(report, "0x%lx is mapped in the user half: entry 0x%lx, level %u", base.value, entry, level);
    else if (entry & PTE_USER)
        audit_violation(report, "0x%lx: user bit in the kernel half: entry 0x%lx, level %u", base.value, entry, level);
    if (!(entry & PTE_PRESENT)) {
        if (level != 1 || (entry & ~MARKS))
            audit_violation(report, "0x%lx: not present and no mark: entry 0x%lx, level %u", base.value, entry, level);
    } else if (page_table_entry_is_leaf(entry, level)) {
        audit_leaf(report, level, base, entry);
    } else {
        audit_link(report, level, base, entry);
    }
}

static void audit_table(struct page_table_visitor *visitor, unsigned level, vaddr_t base, paddr_t table,
                        unsigned nr_used)
{
    struct auditor *auditor = (struct auditor *)visitor;
    const struct page *page = page_of_pfn(paddr_to_pfn(table));

    auditor->nr_tables++;
    if (!page)
        audit_violation(auditor->report, "0x%lx: the table of level %u has no struct page", base.value, level);
    else if (page->references != nr_used)
        audit_violation(auditor->report, "0x%lx: the table of level %u has %u entries in use, counted as %u",
                        base.value, level, nr_used, page->references);
    if (nr_used == 0 && level < PAGE_TABLE_LEVELS - 1)
        audit_violation(auditor->report, "0x%lx: the table of level %u is empty", base.value, level);
}

static void run(struct audit_report *report)
{
    struct auditor auditor = {.visitor = {.table = audit_table, .entry = audit_entry}, .report = report};

    if ((read_cr3() & PTE_ADDRESS) != kernel_tables.root.value)
        audit_violation(report, "CR3 is 0x%lx, not the kernel's tables at 0x%lx", read_cr3(), kernel_tables.root.value);
    page_tables_walk(kernel_tables.root, &auditor.visitor);
    audit_account(report, PAGE_PAGE_TABLE, auditor.nr_tables);
}

struct audit page_table_audit = {.name = "page tables", .run = run};
