/* The audit of vmalloc: the tree, and that each area is mapped to exactly its own frames, between guard pages. */
#include <base/layout.h>
#include <mm/heap_audit.h>
#include <mm/page_array.h>
#include <mm/paging.h>

#include "vmalloc_internal.h"

static void audit_frames(struct vm_area *area, struct audit_report *report)
{
    uint64_t at = area->base, count = 0;
    struct mapping mapping;
    struct page *page;

    list_for_each_entry (page, &area->pages, link) {
        if (page->private_data != (uint64_t)(uintptr_t)area)
            audit_violation(report, "vmalloc area 0x%lx: frame 0x%lx is not its own", (unsigned long)area->base,
                            (unsigned long)page_to_pfn(page).number);
        if (paging_lookup(vaddr(at), &mapping) != 0 ||
            paddr_to_pfn(mapping.physical).number != page_to_pfn(page).number)
            audit_violation(report, "vmalloc area 0x%lx: 0x%lx is not mapped to its frame", (unsigned long)area->base,
                            (unsigned long)at);
        at += PAGE_SIZE;
        count++;
    }
    if (area->kind != VM_AREA_DEVICE && count != area->size_bytes >> PAGE_SHIFT)
        audit_violation(report, "vmalloc area 0x%lx: %lu frames for %lu bytes", (unsigned long)area->base,
                        (unsigned long)count, (unsigned long)area->size_bytes);
}

static void audit_area(struct vm_area *area, void *argument)
{
    struct audit_report *report = argument;
    struct mapping mapping;

    if (paging_lookup(vaddr(area->start), &mapping) == 0 ||
        paging_lookup(vaddr(area->base + area->size_bytes), &mapping) == 0)
        audit_violation(report, "vmalloc area 0x%lx: a guard page is mapped", (unsigned long)area->base);
    audit_frames(area, report);
}

static void run(struct audit_report *report)
{
    spinlock_lock(&vm_area_lock);
    vm_area_audit_locked(report);
    spinlock_unlock(&vm_area_lock);
    vm_area_for_each(audit_area, report);
    audit_account(report, PAGE_VMALLOC, __atomic_load_n(&vm_pages_held[VM_AREA_PAGES], __ATOMIC_RELAXED));
    audit_account(report, PAGE_STACK, __atomic_load_n(&vm_pages_held[VM_AREA_STACK], __ATOMIC_RELAXED));
}

struct audit vmalloc_audit = {.name = "vmalloc", .run = run};
