/* Reading page tables: walks and look-ups, without a lock. A table that is taken out meanwhile reads as some frame's
 * contents; only frames whose struct page says that they are tables are followed, so a walk ends, wrong at worst. */
#include "page_table.h"

#include <base/align.h>
#include <base/errno.h>
#include <mm/page_array.h>

static uint64_t read_entry(const uint64_t *entry)
{
    return __atomic_load_n(entry, __ATOMIC_ACQUIRE);
}

unsigned page_table_used(const uint64_t *table)
{
    unsigned used = 0;

    for (unsigned i = 0; i < PAGE_TABLE_ENTRIES; i++)
        used += table[i] != 0;
    return used;
}

unsigned page_table_entry_flags(uint64_t entry)
{
    unsigned flags = MAP_READ;

    if (entry & PTE_WRITE)
        flags |= MAP_WRITE;
    if (!(entry & PTE_NX))
        flags |= MAP_EXECUTE;
    if (entry & PTE_USER)
        flags |= MAP_USER;
    if (entry & PTE_GLOBAL)
        flags |= MAP_GLOBAL;
    if (entry & PTE_PCD)
        flags |= MAP_UNCACHED;
    else if (entry & PTE_PWT)
        flags |= MAP_WRITE_COMBINE;
    return flags;
}

/* The frame may be read as a table: it has to be one, once frames have a struct page. A damaged entry leads nowhere. */
static bool may_be_table(paddr_t address)
{
    const struct page *page = page_of_pfn(paddr_to_pfn(address));

    return page_groups.nr_frames == 0 || (page && page->owner == PAGE_PAGE_TABLE);
}

unsigned page_tables_path(paddr_t root, vaddr_t address, struct page_table_step steps[PAGE_TABLE_LEVELS])
{
    paddr_t table = root;
    unsigned n = 0;

    for (unsigned level = PAGE_TABLE_LEVELS; level > 0 && may_be_table(table); level--) {
        unsigned index = page_table_index(address, level);
        uint64_t entry = read_entry(&page_table_at(table)[index]);

        steps[n++] = (struct page_table_step){level, table, index, entry};
        if (!(entry & PTE_PRESENT) || page_table_entry_is_leaf(entry, level))
            break;
        table = paddr(entry & PTE_ADDRESS);
    }
    return n;
}

int page_tables_lookup(paddr_t root, vaddr_t address, struct mapping *mapping)
{
    struct page_table_step steps[PAGE_TABLE_LEVELS];

    if (!vaddr_is_canonical(address))
        return -EINVAL;
    unsigned n = page_tables_path(root, address, steps);
    const struct page_table_step *last = &steps[n - 1];
    if (n == 0 || !page_table_entry_is_leaf(last->entry, last->level))
        return n != 0 && !(last->entry & PTE_PRESENT) && (last->entry & PTE_SOFT_GUARD) ? -EFAULT : -ENOENT;
    uint64_t span = page_table_span(last->level);
    *mapping = (struct mapping){
        .base = vaddr(align_down(address.value, span)),
        .physical = page_table_entry_address(last->entry, last->level),
        .page_size = {span},
        .flags = page_table_entry_flags(last->entry),
        .is_accessed = last->entry & PTE_ACCESSED,
        .is_dirty = last->entry & PTE_DIRTY,
    };
    return 0;
}

static void walk_table(struct page_table_visitor *visitor, unsigned level, vaddr_t base, paddr_t address)
{
    const uint64_t *table = page_table_at(address);

    if (visitor->table)
        visitor->table(visitor, level, base, address, page_table_used(table));
    for (unsigned i = 0; i < PAGE_TABLE_ENTRIES; i++) {
        uint64_t entry = read_entry(&table[i]);
        uint64_t offset = i * page_table_span(level);
        vaddr_t at = vaddr_add(base, offset);

        if (entry == 0)
            continue;
        if (level == PAGE_TABLE_LEVELS && i >= PAGE_TABLE_ENTRIES / 2)
            at = vaddr_add(at, 0xffff000000000000ull); /* bit 47 is repeated above */
        if (visitor->entry)
            visitor->entry(visitor, level, at, entry);
        if ((entry & PTE_PRESENT) && !page_table_entry_is_leaf(entry, level) &&
            may_be_table(paddr(entry & PTE_ADDRESS)))
            walk_table(visitor, level - 1, at, paddr(entry & PTE_ADDRESS));
    }
}

void page_tables_walk(paddr_t root, struct page_table_visitor *visitor)
{
    walk_table(visitor, PAGE_TABLE_LEVELS, vaddr(0), root);
}
