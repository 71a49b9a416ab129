/* The map under construction keeps these invariants between calls:
 *
 *   M1  ranges are sorted by base, not empty, not overlapping, below MEMORY_MAP_LIMIT;
 *   M2  touching neighbours differ in kind;
 *   M3  the kind of a byte never falls: a byte that any added range called other than usable is not usable.
 *
 * Adding cuts the new range at the edges of those already there and works from its low end to its high end; every step
 * looks the place up again, so a step that had to make room may have changed anything. */
#include <base/align.h>
#include <base/assert.h>
#include <base/layout.h>
#include <boot/memory_map.h>
#include <boot/report.h>
#include <hw/address_range.h>
#include <lib/string.h>

static uint64_t range_end(const struct memory_range *range)
{
    return range->base.value + range->length_bytes;
}

static bool touch(const struct memory_range *low, const struct memory_range *high)
{
    return range_end(low) == high->base.value;
}

/* The first of count sorted ranges that ends above address; count where there is none. */
static unsigned find_range(const struct memory_range *ranges, unsigned count, uint64_t address)
{
    unsigned low = 0, high = count;

    while (low < high) {
        unsigned middle = low + (high - low) / 2;

        if (range_end(&ranges[middle]) > address)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static INIT void insert_range(struct memory_map *map, unsigned index, uint64_t base, uint64_t end,
                              enum memory_kind kind)
{
    struct memory_range *at = &map->ranges[index];

    memmove(at + 1, at, (map->count - index) * sizeof(*at));
    *at = (struct memory_range){paddr(base), end - base, kind};
    map->count++;
}

static INIT void remove_range(struct memory_map *map, unsigned index)
{
    struct memory_range *at = &map->ranges[index];

    map->count--;
    memmove(at, at + 1, (map->count - index) * sizeof(*at));
}

/* Restores M2 around index. */
static INIT void merge_neighbours(struct memory_map *map, unsigned index)
{
    unsigned first = index > 0 ? index - 1 : 0;

    for (unsigned i = first; i <= index + 1 && i + 1 < map->count;) {
        struct memory_range *low = &map->ranges[i];
        const struct memory_range *high = &map->ranges[i + 1];

        if (low->kind != high->kind || !touch(low, high)) {
            i++;
            continue;
        }
        low->length_bytes += high->length_bytes;
        remove_range(map, i + 1);
    }
}

/* Splits the range at index so that one begins at address, which lies inside it. */
static INIT void split_range(struct memory_map *map, unsigned index, uint64_t address)
{
    struct memory_range *low = &map->ranges[index];
    uint64_t end = range_end(low);

    low->length_bytes = address - low->base.value;
    insert_range(map, index + 1, address, end, low->kind);
}

/* Makes the ranges at index and index + 1, neither of them usable, one. */
static INIT void join_ranges(struct memory_map *map, unsigned index)
{
    struct memory_range *low = &map->ranges[index];
    const struct memory_range *high = &map->ranges[index + 1];

    low->length_bytes = range_end(high) - low->base.value;
    if (low->kind < high->kind)
        low->kind = high->kind;
    if (low->kind < MEMORY_RESERVED)
        low->kind = MEMORY_RESERVED;
    remove_range(map, index + 1);
    merge_neighbours(map, index);
}

/* Makes a usable range part of a neighbour that touches it, or a hole. */
static INIT void give_up_range(struct memory_map *map, unsigned index)
{
    struct memory_range *range = &map->ranges[index];

    map->lost_bytes += range->length_bytes;
    range->kind = MEMORY_RESERVED;
    if (index > 0 && touch(range - 1, range))
        join_ranges(map, index - 1);
    else if (index + 1 < map->count && touch(range, range + 1))
        join_ranges(map, index);
    else
        remove_range(map, index);
}

/* One step towards a shorter map: the one that costs the fewest bytes. */
static INIT void shrink(struct memory_map *map)
{
    uint64_t best_cost = UINT64_MAX;
    unsigned best = 0;
    bool join = false;

    for (unsigned i = 0; i < map->count; i++) {
        const struct memory_range *range = &map->ranges[i];
        uint64_t cost = range->length_bytes;
        bool can_join = range->kind != MEMORY_USABLE && i + 1 < map->count && range[1].kind != MEMORY_USABLE;

        if (can_join)
            cost = range[1].base.value - range_end(range);
        if ((can_join || range->kind == MEMORY_USABLE) && cost < best_cost) {
            best_cost = cost;
            best = i;
            join = can_join;
        }
    }
    if (join)
        join_ranges(map, best);
    else
        give_up_range(map, best);
}

/* Enters the part of [base, end) that begins at base and reaches to the next edge. Returns where it ends. */
static INIT uint64_t add_piece(struct memory_map *map, uint64_t base, uint64_t end, enum memory_kind kind)
{
    unsigned index = find_range(map->ranges, map->count, base);
    struct memory_range *range = &map->ranges[index];

    if (index == map->count || range->base.value > base) {
        uint64_t edge = index == map->count || range->base.value > end ? end : range->base.value;

        insert_range(map, index, base, edge, kind);
        merge_neighbours(map, index);
        return edge;
    }
    if (range->kind >= kind)
        return range_end(range);
    if (range->base.value < base)
        split_range(map, index++, base);
    range = &map->ranges[index];
    if (range_end(range) > end)
        split_range(map, index, end);
    end = range_end(range);
    range->kind = kind;
    merge_neighbours(map, index);
    return end;
}

INIT void memory_map_start(struct memory_map *map, struct memory_range *ranges, unsigned capacity)
{
    ASSERT(capacity >= MEMORY_MAP_CAPACITY_MIN);
    *map = (struct memory_map){.ranges = ranges, .capacity = capacity};
}

INIT void memory_map_add(struct memory_map *map, uint64_t base, uint64_t length_bytes, enum memory_kind kind)
{
    uint64_t limit = kind == MEMORY_USABLE ? PHYSMAP_SIZE : MEMORY_MAP_LIMIT;

    if (length_bytes == 0)
        return;
    if (base >= limit || length_bytes > limit - base) {
        boot_note("memory map: %#llx bytes (%s) at %#llx: what lies above %#llx is left out",
                  (unsigned long long)length_bytes, memory_kind_name(kind), (unsigned long long)base,
                  (unsigned long long)limit);
        if (base >= limit)
            return;
        length_bytes = limit - base;
    }
    for (uint64_t end = base + length_bytes; base < end;) {
        while (map->capacity - map->count < 2)
            shrink(map);
        base = add_piece(map, base, end, kind);
    }
}

INIT unsigned memory_map_finish(struct memory_map *map)
{
    for (unsigned i = 0; i < map->count;) {
        struct memory_range *range = &map->ranges[i];
        uint64_t base = align_up(range->base.value, PAGE_SIZE), end = align_down(range_end(range), PAGE_SIZE);

        if (range->kind == MEMORY_USABLE && base >= end) {
            remove_range(map, i);
            continue;
        }
        if (range->kind == MEMORY_USABLE)
            *range = (struct memory_range){paddr(base), end - base, MEMORY_USABLE};
        i++;
    }
    if (map->lost_bytes != 0)
        boot_note("memory map: more than %u ranges: at least %llu KiB of usable memory, in small pieces, are not used",
                  map->capacity, (unsigned long long)(map->lost_bytes / 1024));
    return map->count;
}

INIT enum memory_kind memory_kind_of(uint32_t address_range_type)
{
    switch (address_range_type) {
    case ADDRESS_RANGE_MEMORY:
        return MEMORY_USABLE;
    case ADDRESS_RANGE_ACPI:
        return MEMORY_ACPI_RECLAIMABLE;
    case ADDRESS_RANGE_NVS:
        return MEMORY_ACPI_NVS;
    case ADDRESS_RANGE_UNUSABLE:
        return MEMORY_BAD;
    default:
        return MEMORY_RESERVED;
    }
}

const char *memory_kind_name(enum memory_kind kind)
{
    switch (kind) {
    case MEMORY_USABLE:
        return "usable";
    case MEMORY_ACPI_RECLAIMABLE:
        return "ACPI reclaimable";
    case MEMORY_ACPI_NVS:
        return "ACPI NVS";
    case MEMORY_RESERVED:
        return "reserved";
    case MEMORY_BAD:
        return "bad";
    }
    return "unknown";
}

const struct memory_range *memory_map_find(const struct boot_info *info, paddr_t address)
{
    unsigned index = find_range(info->memory, info->nr_memory, address.value);

    return index < info->nr_memory && info->memory[index].base.value <= address.value ? &info->memory[index] : NULL;
}

bool memory_map_is_usable(const struct boot_info *info, paddr_t base, uint64_t length_bytes)
{
    const struct memory_range *range = memory_map_find(info, base);

    return range && range->kind == MEMORY_USABLE && length_bytes <= range_end(range) - base.value;
}

bool memory_map_touches_usable(const struct boot_info *info, paddr_t base, uint64_t length_bytes)
{
    unsigned index = find_range(info->memory, info->nr_memory, base.value);

    for (; index < info->nr_memory && info->memory[index].base.value < base.value + length_bytes; index++)
        if (info->memory[index].kind == MEMORY_USABLE)
            return true;
    return false;
}

uint64_t memory_map_usable_bytes(const struct boot_info *info)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < info->nr_memory; i++)
        if (info->memory[i].kind == MEMORY_USABLE)
            bytes += info->memory[i].length_bytes;
    return bytes;
}
