/* The allocator of boot: a sorted table of free regions that only shrinks. */
#include "boot_alloc.h"

#include <base/align.h>
#include <base/errno.h>
#include <lib/string.h>

INIT void boot_alloc_init(struct boot_allocator *allocator, const struct memory_range *ranges, unsigned nr_ranges,
                          pfn_t limit)
{
    allocator->nr_regions = 0;
    allocator->nr_lost = 0;
    for (unsigned i = 0; i < nr_ranges; i++) {
        uint64_t first = align_up(ranges[i].base.value, PAGE_SIZE) >> PAGE_SHIFT;
        uint64_t end = (ranges[i].base.value + ranges[i].length_bytes) >> PAGE_SHIFT;

        if (ranges[i].kind != MEMORY_USABLE)
            continue;
        if (end > limit.number)
            end = limit.number;
        if (first < end)
            allocator->regions[allocator->nr_regions++] = (struct boot_region){first, end};
    }
}

static INIT void remove_region(struct boot_allocator *allocator, unsigned index)
{
    struct boot_region *region = &allocator->regions[index];

    allocator->nr_regions--;
    memmove(region, region + 1, (allocator->nr_regions - index) * sizeof(*region));
}

/* Cuts frames first to end - 1, which lie inside the region, out of it. */
static INIT void cut(struct boot_allocator *allocator, unsigned index, uint64_t first, uint64_t end)
{
    struct boot_region *region = &allocator->regions[index];
    struct boot_region below = {region->first, first}, above = {end, region->end};
    uint64_t nr_below = below.end - below.first, nr_above = above.end - above.first;

    if (nr_below == 0 && nr_above == 0) {
        remove_region(allocator, index);
    } else if (nr_below == 0 || nr_above == 0) {
        *region = nr_below ? below : above;
    } else if (allocator->nr_regions == BOOT_REGIONS_MAX) {
        *region = nr_below > nr_above ? below : above;
        allocator->nr_lost += nr_below > nr_above ? nr_above : nr_below;
    } else {
        memmove(region + 2, region + 1, (allocator->nr_regions - index - 1) * sizeof(*region));
        allocator->nr_regions++;
        region[0] = below;
        region[1] = above;
    }
}

INIT void boot_alloc_reserve(struct boot_allocator *allocator, paddr_t base, uint64_t length_bytes)
{
    uint64_t first = base.value >> PAGE_SHIFT;
    uint64_t last_byte = base.value + length_bytes - 1;

    if (length_bytes == 0)
        return;
    if (last_byte < base.value)
        last_byte = UINT64_MAX;
    uint64_t end = (last_byte >> PAGE_SHIFT) + 1;

    /* From the top, because a cut changes the table from its region upwards only. */
    for (unsigned i = allocator->nr_regions; i-- > 0;) {
        const struct boot_region *region = &allocator->regions[i];
        uint64_t from = region->first > first ? region->first : first;
        uint64_t to = region->end < end ? region->end : end;
        if (from < to)
            cut(allocator, i, from, to);
    }
}

INIT int boot_alloc(struct boot_allocator *allocator, uint64_t nr_pages, uint64_t alignment_pages, pfn_t limit,
                    pfn_t *first)
{
    for (unsigned i = allocator->nr_regions; i-- > 0;) {
        const struct boot_region *region = &allocator->regions[i];
        uint64_t end = region->end < limit.number ? region->end : limit.number;

        if (end < nr_pages)
            continue;
        uint64_t start = align_down(end - nr_pages, alignment_pages);
        if (start < region->first)
            continue;
        cut(allocator, i, start, start + nr_pages);
        *first = pfn(start);
        return 0;
    }
    return -ENOMEM;
}

INIT uint64_t boot_alloc_nr_free(const struct boot_allocator *allocator)
{
    uint64_t pages = 0;

    for (unsigned i = 0; i < allocator->nr_regions; i++)
        pages += allocator->regions[i].end - allocator->regions[i].first;
    return pages;
}
