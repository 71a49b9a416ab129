/* Building the kernel's own page tables, while the trampoline's are still in use: those map the first 4 GiB in the
 * physmap, and all tables and the bitmap of page groups come from there.
 *
 * The result (docs/memory-map.md): all RAM in the physmap, never executable, read-only where the image's code and
 * constants lie; the image by section; the array of struct page for frames of RAM. No identity map; page 0 is not
 * mapped. */
#include "kasan_map.h"
#include "kernel_tables.h"
#include "zone.h"

#include <base/align.h>
#include <base/errno.h>
#include <boot/image.h>
#include <cpu/features.h>
#include <cpu/registers.h>
#include <lib/string.h>
#include <mm/init.h>
#include <mm/page_alloc.h>
#include <mm/physmap.h>
#include <mm/tlb.h>

#define EARLY_LIMIT pfn(GIB(4) >> PAGE_SHIFT) /* what the trampoline mapped */

/* The groups that one large page of the array holds. */
#define GROUPS_2M (PAGE_SIZE_2M / PAGE_SIZE)

static INIT_DATA struct boot_allocator *boot_allocator;

static int table_alloc(paddr_t *table)
{
    struct page *page = page_alloc(0, PAGE_PAGE_TABLE, ALLOC_ZERO);

    if (!page)
        return -ENOMEM;
    page->references = 0;
    *table = pfn_to_paddr(page_to_pfn(page));
    return 0;
}

static INIT int boot_table_alloc(paddr_t *table)
{
    pfn_t frame;
    int error = boot_alloc(boot_allocator, 1, 1, EARLY_LIMIT, &frame);

    if (error)
        return error;
    *table = pfn_to_paddr(frame);
    memset(phys_to_virt(*table), 0, PAGE_SIZE);
    return 0;
}

/* PWT alone selects write combining, instead of write through, which nothing uses. The other entries stay as they are
 * after reset (SDM 3A 12.12.4): write back, uncached- for PCD, uncached for both. No mapping has PWT alone yet, so that
 * no cached line can have the wrong type. */
#define PAT_WRITE_COMBINING 0x01ull
#define PAT_VALUE           (0x0007040600070006ull | PAT_WRITE_COMBINING << 8)

static INIT bool set_up_pat(void)
{
    if (!cpu_has(CPU_PAT))
        return false;
    wrmsr(MSR_PAT, PAT_VALUE);
    return true;
}

/* The other CPUs' mappings have been cached by nobody on them: the flush is for what the processor looked at ahead. */
void page_types_cpu_init(void)
{
    if (!cpu_has(CPU_PAT))
        return;
    wrmsr(MSR_PAT, PAT_VALUE);
    tlb_flush_local();
}

/* Maps part of the physmap; the image's read-only sections in it are no back door. */
static INIT int map_physmap(pfn_t first, pfn_t end)
{
    uint64_t at = first.number;

    while (at < end.number) {
        uint64_t stop = end.number;
        unsigned flags = MAP_WRITE | MAP_GLOBAL;

        for (unsigned i = 0; i < IMAGE_SECTIONS; i++) {
            const struct image_section *section = &image_sections[i];
            uint64_t from = image_to_physical(section->start).value >> PAGE_SHIFT;
            uint64_t to = image_to_physical(section->end).value >> PAGE_SHIFT;

            if ((section->flags & MAP_WRITE) || to <= at || from >= stop)
                continue;
            if (from > at) {
                stop = from;
                continue;
            }
            flags &= ~(unsigned)MAP_WRITE;
            if (to < stop)
                stop = to;
        }
        paddr_t physical = pfn_to_paddr(pfn(at));
        int error = page_tables_map(&kernel_tables, vaddr(PHYSMAP_BASE + physical.value), physical,
                                    (stop - at) << PAGE_SHIFT, flags);
        if (error)
            return error;
        at = stop;
    }
    return 0;
}

static INIT int map_all_ram(const struct boot_info *info)
{
    struct ram_range range;
    int error = 0;

    for (unsigned i = 0; !error && ram_next(info, &i, &range);)
        error = map_physmap(range.first, range.end);
    return error;
}

/* The console may be writing to the screen: where that lies below 4 GiB it stays in the physmap until its driver has
 * mapped it properly, and goes with the init memory (mm_init.c). Where the firmware puts it over RAM, that is mapped
 * already. */
static INIT int map_early_screen(const struct boot_info *info)
{
    const unsigned flags = MAP_WRITE | MAP_UNCACHED | MAP_GLOBAL;
    vaddr_t base;
    uint64_t length = early_screen(info, &base);

    if (length == 0)
        return 0;
    paddr_t physical = physmap_to_phys(vaddr_to_pointer(base));
    int error = page_tables_map(&kernel_tables, base, physical, length, flags);
    for (uint64_t offset = 0; offset < length && error == -EEXIST; offset += PAGE_SIZE) {
        error = page_tables_map(&kernel_tables, vaddr_add(base, offset), paddr_add(physical, offset), PAGE_SIZE, flags);
        if (error == 0)
            error = -EEXIST;
    }
    return error == -EEXIST ? 0 : error;
}

static INIT int map_image(void)
{
    int error = 0;

    for (unsigned i = 0; !error && i < IMAGE_SECTIONS; i++) {
        const struct image_section *section = &image_sections[i];
        if (section->start != section->end)
            error = page_tables_map(&kernel_tables, vaddr_of(section->start), image_to_physical(section->start),
                                    (uint64_t)(section->end - section->start), section->flags | MAP_GLOBAL);
    }
    return error;
}

/* The pages on both sides of the boot stack become guard pages. */
static INIT int guard_boot_stack(void)
{
    uint64_t stack = vaddr_of(boot_stack).value;
    vaddr_t sides[] = {vaddr(stack - PAGE_SIZE), vaddr(stack + KERNEL_STACK_SIZE)};
    int error = 0;

    for (unsigned i = 0; !error && i < ARRAY_SIZE(sides); i++) {
        error = page_tables_unmap(&kernel_tables, sides[i], PAGE_SIZE);
        if (!error)
            error = page_tables_set_mark(&kernel_tables, sides[i], PTE_SOFT_GUARD);
    }
    return error;
}

static INIT uint64_t group_of(uint64_t frame)
{
    return frame >> PAGE_GROUP_SHIFT;
}

/* A bit for each group of frames with RAM. */
static INIT int find_groups(const struct boot_info *info)
{
    struct ram_range range;
    uint64_t nr_frames = 0;
    pfn_t frame;

    for (unsigned i = 0; ram_next(info, &i, &range);)
        nr_frames = align_up(range.end.number, PAGE_GROUP_FRAMES);
    uint64_t bytes = align_up(group_of(nr_frames) / 8 + sizeof(uint64_t), PAGE_SIZE);
    int error = boot_alloc(boot_allocator, bytes / PAGE_SIZE, 1, EARLY_LIMIT, &frame);
    if (error)
        return error;
    uint64_t *present = phys_to_virt(pfn_to_paddr(frame));
    memset(present, 0, bytes);
    for (unsigned i = 0; ram_next(info, &i, &range);)
        for (uint64_t group = group_of(range.first.number); group <= group_of(range.end.number - 1); group++)
            present[group / 64] |= 1ull << (group % 64);
    page_groups.present = present; /* nr_frames follows when the array is there */
    page_groups.nr_frames = 0;
    return nr_frames == 0 ? -ENOMEM : 0;
}

static INIT bool are_all_present(uint64_t group)
{
    for (uint64_t i = 0; i < GROUPS_2M / 64; i++)
        if (page_groups.present[group / 64 + i] != UINT64_MAX)
            return false;
    return true;
}

/* Maps the part of the array that holds this group, and as many after it as one large page can. Returns how many
 * groups, or an error. The frames may lie anywhere: the array is not touched before the switch. */
static INIT int map_groups(uint64_t group)
{
    vaddr_t at = vaddr(PAGE_ARRAY_BASE + group * PAGE_SIZE);
    int count = 1;
    pfn_t frame;

    if (group % GROUPS_2M == 0 && are_all_present(group) &&
        boot_alloc(boot_allocator, GROUPS_2M, GROUPS_2M, ram_limit(), &frame) == 0)
        count = GROUPS_2M;
    else if (boot_alloc(boot_allocator, 1, 1, ram_limit(), &frame) != 0)
        return -ENOMEM;
    int error =
        page_tables_map(&kernel_tables, at, pfn_to_paddr(frame), (uint64_t)count * PAGE_SIZE, MAP_WRITE | MAP_GLOBAL);
    return error ? error : count;
}

static INIT int map_page_array(const struct boot_info *info, uint64_t *nr_frames)
{
    struct ram_range range;
    uint64_t next = 0; /* groups below are mapped */

    for (unsigned i = 0; ram_next(info, &i, &range);) {
        uint64_t last = group_of(range.end.number - 1);
        if (next < group_of(range.first.number))
            next = group_of(range.first.number);
        while (next <= last) {
            int count = map_groups(next);
            if (count < 0)
                return count;
            next += (uint64_t)count;
        }
    }
    *nr_frames = next << PAGE_GROUP_SHIFT;
    return 0;
}

INIT int kernel_tables_build(struct boot_allocator *allocator, const struct boot_info *info)
{
    uint64_t nr_frames = 0;
    int error;

    boot_allocator = allocator;
    kernel_tables = (struct page_tables){
        .physical_bits = cpu_identity()->physical_bits,
        .has_1g_pages = cpu_has(CPU_PDPE1GB),
        .has_global_pages = cpu_has(CPU_PGE),
        .has_write_combining = set_up_pat(),
        .table_alloc = boot_table_alloc,
    };
    list_init(&kernel_tables.retired);
    error = boot_table_alloc(&kernel_tables.root);
    if (!error)
        error = map_all_ram(info);
    if (!error)
        error = map_early_screen(info);
    if (!error)
        error = map_image();
    if (!error)
        error = guard_boot_stack();
    if (!error)
        error = find_groups(info);
    if (!error)
        error = map_page_array(info, &nr_frames);
    if (!error)
        error = kasan_map_boot(allocator, info);
    if (error)
        return error;
    write_cr3(kernel_tables.root.value);
    tlb_flush_all();
    kasan_start(info);
    page_groups.nr_frames = nr_frames;
    return 0;
}

static INIT_DATA uint64_t nr_adopted;

static INIT void adopt_table(paddr_t table)
{
    struct page *page = page_of_pfn(paddr_to_pfn(table));

    page->owner = PAGE_PAGE_TABLE;
    page->order = 0;
    page_alloc_adopt(paddr_to_pfn(table));
    nr_adopted++;
}

/* A table gets its owner from the entry that leads to it, before the walk goes there. */
static INIT void adopt_entry(struct page_table_visitor *visitor, unsigned level, vaddr_t base, uint64_t entry)
{
    (void)visitor, (void)base;
    if ((entry & PTE_PRESENT) && !page_table_entry_is_leaf(entry, level))
        adopt_table(paddr(entry & PTE_ADDRESS));
}

static INIT void adopt_count(struct page_table_visitor *visitor, unsigned level, vaddr_t base, paddr_t table,
                             unsigned nr_used)
{
    (void)visitor, (void)level, (void)base;
    page_of_pfn(paddr_to_pfn(table))->references = nr_used;
}

INIT uint64_t kernel_tables_adopt(void)
{
    struct page_table_visitor visitor = {.table = adopt_count, .entry = adopt_entry};

    nr_adopted = 0;
    adopt_table(kernel_tables.root);
    page_tables_walk(kernel_tables.root, &visitor);
    kernel_tables.table_alloc = table_alloc;
    return nr_adopted;
}
