/* Page tables as data.
 *
 * Invariants:
 *  1. An entry changes by one 64-bit store, so that the CPU and lock-free readers see the old one or the new one.
 *  2. A table is linked in with all its entries written, and taken out empty; struct page.references counts them.
 *  3. Entries that lead to tables allow everything that half of the address space may (kernel: write; user: write and
 *     user); the leaf alone decides.
 *  4. Marks (PTE_SOFT_) stand in level 1 only.
 *
 * Before the array of struct page exists, while the first tables are built, references are not kept; adopting the
 * tables (kernel_map.c) counts them. */
#include "page_table.h"

#include <base/align.h>
#include <base/errno.h>
#include <mm/page_array.h>
#include <mm/physmap.h>

#define KNOWN_FLAGS (MAP_WRITE | MAP_EXECUTE | MAP_USER | MAP_GLOBAL | MAP_UNCACHED | MAP_WRITE_COMBINE)

/* The tables an address leads through; [level], from the root down as far as they exist. */
struct path {
    uint64_t *table[PAGE_TABLE_LEVELS + 1];
};

static void set_entry(uint64_t *entry, uint64_t value)
{
    /* Release: a table is filled before it can be reached. Pairs with the CPU's walk and read_entry in page_walk.c. */
    __atomic_store_n(entry, value, __ATOMIC_RELEASE);
}

static struct page *page_of_table(const uint64_t *table)
{
    return page_of_address(table);
}

static void count_used(const uint64_t *table, int change)
{
    struct page *page = page_of_table(table);

    if (page)
        page->references += (uint32_t)change;
}

static bool is_empty(const uint64_t *table)
{
    const struct page *page = page_of_table(table);

    return (page ? page->references : page_table_used(table)) == 0;
}

static uint64_t leaf_entry(const struct page_tables *tables, paddr_t physical, unsigned level, unsigned flags)
{
    uint64_t entry = physical.value | PTE_PRESENT;

    if (flags & MAP_WRITE)
        entry |= PTE_WRITE;
    if (!(flags & MAP_EXECUTE))
        entry |= PTE_NX;
    if (flags & MAP_USER)
        entry |= PTE_USER;
    if ((flags & MAP_GLOBAL) && tables->has_global_pages)
        entry |= PTE_GLOBAL;
    if (flags & MAP_UNCACHED)
        entry |= PTE_PCD | PTE_PWT;
    if (flags & MAP_WRITE_COMBINE)
        entry |= tables->has_write_combining ? PTE_PWT : PTE_PCD | PTE_PWT;
    if (level > 1)
        entry |= PTE_LARGE;
    return entry;
}

/* Of an entry that leads to a table (invariant 3). */
static uint64_t link_flags(vaddr_t address)
{
    return PTE_PRESENT | PTE_WRITE | (vaddr_is_kernel(address) ? 0 : PTE_USER);
}

/* Takes tables that hold nothing out, from the one of this level upwards. */
static void prune(struct page_tables *tables, vaddr_t address, const struct path *path, unsigned level)
{
    for (; level < PAGE_TABLE_LEVELS; level++) {
        if (!is_empty(path->table[level]) || (level == PAGE_TABLE_LEVELS - 1 && vaddr_is_kernel(address)))
            return;
        set_entry(&path->table[level + 1][page_table_index(address, level + 1)], 0);
        count_used(path->table[level + 1], -1);
        struct page *page = page_of_table(path->table[level]);
        if (page)
            list_add_last(&tables->retired, &page->link);
    }
}

/* Follows the address down to the table of level `to`, making tables that are missing. Returns 0, -ENOMEM, or -EEXIST
 * where something larger is mapped; nothing is left behind then. */
static int descend(struct page_tables *tables, vaddr_t address, unsigned to, struct path *path)
{
    paddr_t table;

    path->table[PAGE_TABLE_LEVELS] = page_table_at(tables->root);
    for (unsigned level = PAGE_TABLE_LEVELS; level > to; level--) {
        uint64_t *entry = &path->table[level][page_table_index(address, level)];
        uint64_t value = *entry;

        if (value == 0) {
            int error = tables->table_alloc(&table);
            if (error) {
                prune(tables, address, path, level);
                return error;
            }
            value = table.value | link_flags(address);
            set_entry(entry, value);
            count_used(path->table[level], 1);
        } else if (page_table_entry_is_leaf(value, level)) {
            return -EEXIST;
        }
        path->table[level - 1] = page_table_at(paddr(value & PTE_ADDRESS));
    }
    return 0;
}

/* Follows the address down as far as tables lead. Returns the level of the entry that ends the walk. */
static unsigned find(const struct page_tables *tables, vaddr_t address, struct path *path)
{
    unsigned level = PAGE_TABLE_LEVELS;

    path->table[level] = page_table_at(tables->root);
    while (level > 1) {
        uint64_t entry = path->table[level][page_table_index(address, level)];
        if (!(entry & PTE_PRESENT) || page_table_entry_is_leaf(entry, level))
            break;
        path->table[--level] = page_table_at(paddr(entry & PTE_ADDRESS));
    }
    return level;
}

/* Replaces a large page by a table of the next smaller ones that map the same. */
static int split(struct page_tables *tables, vaddr_t address, uint64_t *entry, unsigned level)
{
    uint64_t small = *entry & ~(level == 2 ? PTE_LARGE : 0);
    paddr_t table;
    int error = tables->table_alloc(&table);

    if (error)
        return error;
    for (unsigned i = 0; i < PAGE_TABLE_ENTRIES; i++)
        page_table_at(table)[i] = small + i * page_table_span(level - 1);
    count_used(page_table_at(table), PAGE_TABLE_ENTRIES);
    set_entry(entry, table.value | link_flags(address));
    return 0;
}

/* Splits until a page begins at the address, where a large one lies across it. *span is then what its entry translates.
 */
static int split_at(struct page_tables *tables, vaddr_t address, uint64_t *span)
{
    for (;;) {
        struct path path;
        unsigned level = find(tables, address, &path);
        uint64_t *entry = &path.table[level][page_table_index(address, level)];

        *span = page_table_span(level);
        if (!(*entry & PTE_PRESENT) || is_aligned(address.value, *span))
            return 0;
        int error = split(tables, address, entry, level);
        if (error)
            return error;
    }
}

static int split_edges(struct page_tables *tables, vaddr_t base, uint64_t length)
{
    vaddr_t end = vaddr_add(base, length);
    uint64_t span;
    int error = split_at(tables, base, &span);

    /* 0: the range ends with the address space. */
    if (error || end.value == 0 || (span == length && is_aligned(base.value, span)))
        return error;
    return split_at(tables, end, &span);
}

/* Whole pages, at least one, inside one half of the address space. */
static bool is_good_range(vaddr_t base, uint64_t length)
{
    vaddr_t last = vaddr_add(base, length - 1);

    return length != 0 && is_aligned(base.value | length, PAGE_SIZE) && last.value >= base.value &&
           vaddr_is_canonical(base) && vaddr_is_canonical(last) && vaddr_is_kernel(base) == vaddr_is_kernel(last);
}

static bool are_good_flags(vaddr_t base, unsigned flags)
{
    const unsigned writable_code = MAP_WRITE | MAP_EXECUTE, two_types = MAP_UNCACHED | MAP_WRITE_COMBINE;

    return (flags & ~(unsigned)KNOWN_FLAGS) == 0 && (flags & writable_code) != writable_code &&
           (flags & two_types) != two_types && !((flags & MAP_USER) && vaddr_is_kernel(base));
}

static bool is_good_physical(const struct page_tables *tables, paddr_t physical, uint64_t length)
{
    uint64_t limit = 1ull << tables->physical_bits;

    return is_aligned(physical.value, PAGE_SIZE) && physical.value < limit && length <= limit - physical.value;
}

/* The largest page that may begin here. */
static unsigned largest_level(const struct page_tables *tables, vaddr_t base, paddr_t physical, uint64_t length)
{
    unsigned level = tables->has_1g_pages ? 3 : 2;

    while (level > 1 &&
           (!is_aligned(base.value | physical.value, page_table_span(level)) || length < page_table_span(level)))
        level--;
    return level;
}

/* Clears every entry of the range; no page lies across its ends. */
static void clear_range(struct page_tables *tables, vaddr_t base, uint64_t length)
{
    uint64_t last = base.value + length - 1;
    vaddr_t at = base;

    for (;;) {
        struct path path;
        unsigned level = find(tables, at, &path);
        uint64_t *entry = &path.table[level][page_table_index(at, level)];

        if (*entry != 0) {
            set_entry(entry, 0);
            count_used(path.table[level], -1);
            prune(tables, at, &path, level);
        }
        at = vaddr(align_down(at.value, page_table_span(level)) + page_table_span(level));
        if (at.value == 0 || at.value > last)
            return;
    }
}

/* The entries of a range of small pages that one table of level 1 holds, for the short way: most mappings are small and
 * their table is there already. NULL where there is no such table, or the range needs more. */
static uint64_t *entries_of_small_range(const struct page_tables *tables, vaddr_t base, uint64_t length)
{
    const uint64_t *table = page_table_at(tables->root);

    if ((base.value ^ (base.value + length - 1)) >> PAGE_SHIFT_2M)
        return NULL;
    for (unsigned shift = PAGE_SHIFT + 3 * PAGE_TABLE_BITS; shift > PAGE_SHIFT; shift -= PAGE_TABLE_BITS) {
        uint64_t entry = table[base.value >> shift & (PAGE_TABLE_ENTRIES - 1)];
        if ((entry & (PTE_PRESENT | PTE_LARGE)) != PTE_PRESENT)
            return NULL;
        table = page_table_at(paddr(entry & PTE_ADDRESS));
    }
    return (uint64_t *)table + page_table_index(base, 1);
}

static int map_small_range(const struct page_tables *tables, uint64_t *entries, paddr_t physical, uint64_t nr_pages,
                           unsigned flags)
{
    uint64_t entry = leaf_entry(tables, physical, 1, flags);

    for (uint64_t i = 0; i < nr_pages; i++)
        if (entries[i] != 0)
            return -EEXIST;
    for (uint64_t i = 0; i < nr_pages; i++, entry += PAGE_SIZE)
        set_entry(&entries[i], entry);
    count_used(entries, (int)nr_pages);
    return 0;
}

int page_tables_map(struct page_tables *tables, vaddr_t base, paddr_t physical, uint64_t length, unsigned flags)
{
    uint64_t done = 0;

    if (!is_good_range(base, length) || !are_good_flags(base, flags) || !is_good_physical(tables, physical, length))
        return -EINVAL;
    uint64_t *entries = entries_of_small_range(tables, base, length);
    if (entries)
        return map_small_range(tables, entries, physical, length >> PAGE_SHIFT, flags);
    while (done < length) {
        vaddr_t at = vaddr_add(base, done);
        paddr_t from = paddr_add(physical, done);
        unsigned level = largest_level(tables, at, from, length - done);
        struct path path;
        int error = descend(tables, at, level, &path);
        uint64_t *entry = error ? NULL : &path.table[level][page_table_index(at, level)];

        if (!error && *entry != 0)
            error = -EEXIST;
        if (error) {
            if (done != 0)
                clear_range(tables, base, done);
            return error;
        }
        set_entry(entry, leaf_entry(tables, from, level, flags));
        count_used(path.table[level], 1);
        done += page_table_span(level);
    }
    return 0;
}

/* The usual case in one walk: the whole range lies in one table of level 1, so there is no large page to split. */
static bool clear_in_one_table(struct page_tables *tables, vaddr_t base, uint64_t length)
{
    struct path path;
    uint64_t *entry, *end;
    int nr_cleared = 0;

    if ((base.value ^ (base.value + length - 1)) >> PAGE_SHIFT_2M != 0 || find(tables, base, &path) != 1)
        return false;
    entry = path.table[1] + page_table_index(base, 1);
    for (end = entry + (length >> PAGE_SHIFT); entry < end; entry++) {
        if (*entry != 0) {
            set_entry(entry, 0);
            nr_cleared++;
        }
    }
    if (nr_cleared != 0) {
        count_used(path.table[1], -nr_cleared);
        prune(tables, base, &path, 1);
    }
    return true;
}

int page_tables_unmap(struct page_tables *tables, vaddr_t base, uint64_t length)
{
    if (!is_good_range(base, length))
        return -EINVAL;
    if (clear_in_one_table(tables, base, length))
        return 0;
    int error = split_edges(tables, base, length);
    if (!error)
        clear_range(tables, base, length);
    return error;
}

/* Calls with each leaf of the range; -ENOENT at the first page that is not mapped. */
static int for_each_leaf(struct page_tables *tables, vaddr_t base, uint64_t length,
                         void (*call)(struct page_tables *tables, uint64_t *entry, unsigned level, unsigned flags),
                         unsigned flags)
{
    uint64_t last = base.value + length - 1;
    vaddr_t at = base;

    for (;;) {
        struct path path;
        unsigned level = find(tables, at, &path);
        uint64_t *entry = &path.table[level][page_table_index(at, level)];

        if (!(*entry & PTE_PRESENT))
            return -ENOENT;
        if (call)
            call(tables, entry, level, flags);
        at = vaddr(align_down(at.value, page_table_span(level)) + page_table_span(level));
        if (at.value == 0 || at.value > last)
            return 0;
    }
}

static void change_leaf(struct page_tables *tables, uint64_t *entry, unsigned level, unsigned flags)
{
    uint64_t kept = *entry & (PTE_ACCESSED | PTE_DIRTY);

    set_entry(entry, leaf_entry(tables, page_table_entry_address(*entry, level), level, flags) | kept);
}

int page_tables_protect(struct page_tables *tables, vaddr_t base, uint64_t length, unsigned flags)
{
    if (!is_good_range(base, length) || !are_good_flags(base, flags))
        return -EINVAL;
    int error = for_each_leaf(tables, base, length, NULL, 0);
    if (!error)
        error = split_edges(tables, base, length);
    return error ? error : for_each_leaf(tables, base, length, change_leaf, flags);
}

int page_tables_set_mark(struct page_tables *tables, vaddr_t page, uint64_t mark)
{
    struct path path;

    if (!is_good_range(page, PAGE_SIZE))
        return -EINVAL;
    int error = descend(tables, page, 1, &path);
    if (error)
        return error;
    uint64_t *entry = &path.table[1][page_table_index(page, 1)];
    if (*entry != 0)
        return -EEXIST;
    set_entry(entry, mark);
    count_used(path.table[1], 1);
    return 0;
}
