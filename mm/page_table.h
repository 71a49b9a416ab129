/* Page tables as data: mapping, unmapping, splitting and looking up, without a CPU, a lock or a TLB. Those are
 * paging.c's.
 *
 * Each table's struct page has owner PAGE_PAGE_TABLE and counts in references the entries in use (not 0). A table that
 * becomes empty is taken out, except the root and the third-level tables of the kernel half, which every address space
 * shares. */
#pragma once

#include <base/address.h>
#include <base/compiler.h>
#include <base/types.h>
#include <hw/page_table.h>
#include <lib/list.h>
#include <mm/paging.h>
#include <mm/physmap.h>

struct page_tables {
    paddr_t root;             /* [I] of level 4 */
    unsigned physical_bits;   /* [I] of addresses of this CPU */
    bool has_1g_pages;        /* [I] */
    bool has_global_pages;    /* [I] */
    bool has_write_combining; /* [I] the PAT has it behind PTE_PWT */
    /* Gets a cleared frame. Returns 0, or -ENOMEM. */
    int (*table_alloc)(paddr_t *table);
    /* [l] struct pages of tables taken out: the caller frees them once no TLB can lead to them any more. */
    struct list retired;
};

/* All as the functions of mm/paging.h named alike. On any error nothing is changed but that large pages may have been
 * split. */
MUST_CHECK int page_tables_map(struct page_tables *tables, vaddr_t base, paddr_t physical, uint64_t length,
                               unsigned flags);
MUST_CHECK int page_tables_unmap(struct page_tables *tables, vaddr_t base, uint64_t length);
MUST_CHECK int page_tables_protect(struct page_tables *tables, vaddr_t base, uint64_t length, unsigned flags);
MUST_CHECK int page_tables_set_mark(struct page_tables *tables, vaddr_t page, uint64_t mark);

/* Follows an address down. Fills steps[0] (level 4) to steps[n - 1], the entry that maps it or stops the walk, and
 * returns n. A table whose frame is none stops it too. Reads only; any context. */
struct page_table_step {
    unsigned level;
    paddr_t table;
    unsigned index;
    uint64_t entry;
};
unsigned page_tables_path(paddr_t root, vaddr_t address, struct page_table_step steps[PAGE_TABLE_LEVELS]);

/* What the last step says: 0, -ENOENT, or -EFAULT for a guard page. */
MUST_CHECK int page_tables_lookup(paddr_t root, vaddr_t address, struct mapping *mapping);

/* Calls back for every table, and for every entry that is not 0, in address order; before what is below it. */
struct page_table_visitor {
    void (*table)(struct page_table_visitor *visitor, unsigned level, vaddr_t base, paddr_t table, unsigned nr_used);
    void (*entry)(struct page_table_visitor *visitor, unsigned level, vaddr_t base, uint64_t entry);
};
void page_tables_walk(paddr_t root, struct page_table_visitor *visitor);

/* Entries of a table that are not 0. */
unsigned page_table_used(const uint64_t *table);

static inline uint64_t *page_table_at(paddr_t address)
{
    return phys_to_virt(address);
}

static inline unsigned page_table_index(vaddr_t address, unsigned level)
{
    return address.value >> (PAGE_SHIFT + PAGE_TABLE_BITS * (level - 1)) & (PAGE_TABLE_ENTRIES - 1);
}

static inline bool vaddr_is_kernel(vaddr_t address)
{
    return address.value >> 63;
}

/* Bits 63 to 47 are alike (SDM 1, 3.3.7.1). */
static inline bool vaddr_is_canonical(vaddr_t address)
{
    int64_t top = (int64_t)address.value >> 47;

    return top == 0 || top == -1;
}

/* Bytes that one entry of this level translates. */
static inline uint64_t page_table_span(unsigned level)
{
    return 1ull << (PAGE_SHIFT + PAGE_TABLE_BITS * (level - 1));
}

static inline bool page_table_entry_is_leaf(uint64_t entry, unsigned level)
{
    return (entry & PTE_PRESENT) && (level == 1 || (entry & PTE_LARGE));
}

/* The physical address of a leaf's page. */
static inline paddr_t page_table_entry_address(uint64_t entry, unsigned level)
{
    return paddr(entry & PTE_ADDRESS & ~(page_table_span(level) - 1));
}

/* enum map_flags of a leaf. */
unsigned page_table_entry_flags(uint64_t entry);
