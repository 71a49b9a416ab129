/* The kernel's page tables in use: one lock for all changes, the TLB afterwards. The rules are in docs/locking.md. */
#include <mm/paging.h>

#include "kernel_tables.h"

#include <base/errno.h>
#include <cpu/registers.h>
#include <mm/page_alloc.h>
#include <mm/tlb.h>
#include <sync/spinlock.h>

struct page_tables kernel_tables; /* [I] its root and properties; the tables: paging_lock */

/* Protects every kernel mapping and kernel_tables.retired. Interrupt handlers may map; the zone locks are taken below
 * it. */
static struct spinlock paging_lock = SPINLOCK_INITIALIZER("kernel page tables");

/* The rest of finish where tables became empty: they are freed only once no TLB can lead there. */
static NOINLINE void finish_retired(uint64_t irq_flags, vaddr_t base, uint64_t length)
{
    struct list retired = LIST_INITIALIZER(retired);
    struct page *page, *after;

    list_for_each_entry_safe (page, after, &kernel_tables.retired, link) {
        list_remove(&page->link);
        list_add_last(&retired, &page->link);
    }
    spinlock_unlock_irqrestore(&paging_lock, irq_flags);
    tlb_flush_tables(base, length);
    list_for_each_entry_safe (page, after, &retired, link) {
        list_remove(&page->link);
        page->references = 1; /* this one: it held no entries */
        page_free(page, 0);
    }
}

/* Ends a change: gives the lock back and makes the TLB forget. */
static inline void finish(uint64_t irq_flags, vaddr_t base, uint64_t length, bool has_restricted)
{
    if (UNLIKELY(!list_is_empty(&kernel_tables.retired))) {
        finish_retired(irq_flags, base, length);
        return;
    }
    spinlock_unlock_irqrestore(&paging_lock, irq_flags);
    if (has_restricted)
        tlb_flush_range(base, length);
}

/* Mappings of the kernel half are the same in every address space. */
static unsigned effective_flags(vaddr_t base, unsigned flags)
{
    return vaddr_is_kernel(base) ? flags | MAP_GLOBAL : flags;
}

int paging_map(vaddr_t virtual_base, paddr_t physical_base, uint64_t length, unsigned flags)
{
    uint64_t irq_flags = spinlock_lock_irqsave(&paging_lock);
    int error =
        page_tables_map(&kernel_tables, virtual_base, physical_base, length, effective_flags(virtual_base, flags));

    /* What was mapped until a later part failed may be cached by now, on any CPU. */
    finish(irq_flags, virtual_base, length, error == -ENOMEM || error == -EEXIST);
    return error;
}

int paging_unmap(vaddr_t virtual_base, uint64_t length)
{
    uint64_t irq_flags = spinlock_lock_irqsave(&paging_lock);
    int error = page_tables_unmap(&kernel_tables, virtual_base, length);

    finish(irq_flags, virtual_base, length, !error);
    return error;
}

int paging_protect(vaddr_t virtual_base, uint64_t length, unsigned flags)
{
    uint64_t irq_flags = spinlock_lock_irqsave(&paging_lock);
    int error = page_tables_protect(&kernel_tables, virtual_base, length, effective_flags(virtual_base, flags));

    finish(irq_flags, virtual_base, length, !error);
    return error;
}

int paging_set_guard(vaddr_t page)
{
    uint64_t irq_flags = spinlock_lock_irqsave(&paging_lock);
    int error = page_tables_set_mark(&kernel_tables, page, PTE_SOFT_GUARD);

    finish(irq_flags, page, PAGE_SIZE, false);
    return error;
}

int paging_lookup(vaddr_t address, struct mapping *mapping)
{
    return page_tables_lookup(paddr(read_cr3() & PTE_ADDRESS), address, mapping);
}
