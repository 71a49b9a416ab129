#include <mm/start_tables.h>

#include "page_table.h"

#include <base/errno.h>
#include <cpu/registers.h>
#include <lib/string.h>
#include <mm/page_alloc.h>

static int alloc_table(paddr_t *table)
{
    struct page *page = page_alloc(0, PAGE_PRIVATE, ALLOC_ZERO | ALLOC_DMA32);

    if (!page)
        return -ENOMEM;
    *table = pfn_to_paddr(page_to_pfn(page));
    return 0;
}

static void free_table(paddr_t *table)
{
    if (table->value)
        page_free(page_of_pfn(paddr_to_pfn(*table)), 0);
    *table = paddr(0);
}

void start_tables_free(struct start_tables *tables)
{
    free_table(&tables->root);
    for (unsigned i = 0; i < ARRAY_SIZE(tables->levels); i++)
        free_table(&tables->levels[i]);
}

/* Every root has the same third-level tables in the kernel half (docs/locking.md, "Page tables and page allocator"). */
static void share_kernel_half(paddr_t root)
{
    const uint64_t *kernel = page_table_at(paddr(read_cr3() & PTE_ADDRESS));

    memcpy(page_table_at(root) + PAGE_TABLE_ENTRIES / 2, kernel + PAGE_TABLE_ENTRIES / 2,
           PAGE_TABLE_ENTRIES / 2 * sizeof(*kernel));
}

int start_tables_build(struct start_tables *tables, paddr_t page)
{
    paddr_t table;
    int error;

    *tables = (struct start_tables){0};
    error = alloc_table(&tables->root);
    for (unsigned i = 0; i < ARRAY_SIZE(tables->levels) && !error; i++)
        error = alloc_table(&tables->levels[i]);
    if (error) {
        start_tables_free(tables);
        return error;
    }
    share_kernel_half(tables->root);
    table = tables->root;
    for (unsigned level = PAGE_TABLE_LEVELS; level > 1; level--) {
        paddr_t below = tables->levels[PAGE_TABLE_LEVELS - level];

        page_table_at(table)[page_table_index(vaddr(page.value), level)] = below.value | PTE_PRESENT | PTE_WRITE;
        table = below;
    }
    page_table_at(table)[page_table_index(vaddr(page.value), 1)] =
        page.value | PTE_PRESENT; /* executable: not writable */
    return 0;
}
