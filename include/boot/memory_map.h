/* Builds the sanitised memory map of struct boot_info out of whatever order, overlap and number of ranges the firmware
 * tells, and answers questions about it. A place no range covers is a hole: nothing is known to be there. */
#pragma once

#include <boot/boot_info.h>

/* No x86-64 processor has more physical address bits (SDM 3A 4.1.4); what lies above is cut off. */
#define MEMORY_MAP_LIMIT ((uint64_t)1 << 52)

#define MEMORY_MAP_CAPACITY_MIN 4u

/* A firmware map of more entries than this is nonsense, and reading gigabytes of it would look like a hang. */
#define MEMORY_MAP_ENTRIES_MAX 131072u

/* A map under construction: sorted, not overlapping, neighbours of one kind merged, byte exact, over the caller's
 * array. */
struct memory_map {
    struct memory_range *ranges;
    unsigned count, capacity;
    uint64_t lost_bytes; /* usable memory given up because the array was full */
};

/* Starts with an empty map. capacity is MEMORY_MAP_CAPACITY_MIN or more. */
void memory_map_start(struct memory_map *map, struct memory_range *ranges, unsigned capacity);

/* Adds a range as the firmware told it; any values. Where ranges overlap the higher kind wins, whatever the order.
 * Parts above MEMORY_MAP_LIMIT, and usable parts above what the kernel can map (PHYSMAP_SIZE), are left out and noted.
 *
 * A full array makes room by what costs the fewest bytes: two neighbours that are not usable become one reserved range
 * over the gap between them, or a usable range is given up to a neighbour that touches it, or becomes a hole. So memory
 * may be lost, never invented; maps of up to capacity - 2 ranges at every moment stay exact. */
void memory_map_add(struct memory_map *map, uint64_t base, uint64_t length_bytes, enum memory_kind kind);

/* Rounds usable ranges inwards to whole pages, drops those of which nothing is left, notes what was lost for want of
 * room, and returns the number of ranges. */
unsigned memory_map_finish(struct memory_map *map);

/* What an address range type (hw/address_range.h) of a Multiboot2 or PVH map means: unknown ones are MEMORY_RESERVED.
 */
enum memory_kind memory_kind_of(uint32_t address_range_type);

/* "usable", "ACPI reclaimable" ...; "unknown" for values that are no kind. */
const char *memory_kind_name(enum memory_kind kind);

/* The range that holds address, or NULL for a hole. Context, this and below: any. */
const struct memory_range *memory_map_find(const struct boot_info *info, paddr_t address);

/* All of base to base + length_bytes lies in one usable range. */
bool memory_map_is_usable(const struct boot_info *info, paddr_t base, uint64_t length_bytes);

/* Some of base to base + length_bytes is usable. The sum does not overflow. */
bool memory_map_touches_usable(const struct boot_info *info, paddr_t base, uint64_t length_bytes);

uint64_t memory_map_usable_bytes(const struct boot_info *info);
