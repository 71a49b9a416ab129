/* Which frames are RAM that the kernel keeps mapped: usable memory, and the firmware's tables that may be reclaimed. */
#include "kernel_tables.h"

#include <base/align.h>
#include <cpu/features.h>
#include <mm/physmap.h>

pfn_t ram_limit(void)
{
    uint64_t limit = 1ull << cpu_identity()->physical_bits;

    return pfn((limit < PHYSMAP_SIZE ? limit : PHYSMAP_SIZE) >> PAGE_SHIFT);
}

/* The end of the frames of the last RAM range before this one: a frame is only given out once. */
static uint64_t end_before(const struct boot_info *info, unsigned index)
{
    while (index-- > 0) {
        const struct memory_range *range = &info->memory[index];
        if (range->kind == MEMORY_USABLE || range->kind == MEMORY_ACPI_RECLAIMABLE)
            return align_up(range->base.value + range->length_bytes, PAGE_SIZE) >> PAGE_SHIFT;
    }
    return 0;
}

bool ram_next(const struct boot_info *info, unsigned *index, struct ram_range *range)
{
    for (; *index < info->nr_memory; ++*index) {
        const struct memory_range *memory = &info->memory[*index];
        uint64_t first = memory->base.value >> PAGE_SHIFT;
        uint64_t last = (memory->base.value + memory->length_bytes - 1) >> PAGE_SHIFT;
        uint64_t taken = end_before(info, *index), limit = ram_limit().number;

        if (memory->kind != MEMORY_USABLE && memory->kind != MEMORY_ACPI_RECLAIMABLE)
            continue;
        if (first < taken)
            first = taken;
        if (last >= limit)
            last = limit - 1;
        if (first > last)
            continue;
        *range = (struct ram_range){pfn(first), pfn(last + 1), memory->kind};
        ++*index;
        return true;
    }
    return false;
}

uint64_t early_screen(const struct boot_info *info, vaddr_t *base)
{
    const struct framebuffer_info *screen = &info->framebuffer;
    uint64_t first = align_down(screen->base.value, PAGE_SIZE);
    uint64_t bytes = (uint64_t)screen->pitch_bytes * screen->height;

    if (screen->kind == FRAMEBUFFER_NONE || screen->base.value >= GIB(4) || bytes > GIB(4) - screen->base.value)
        return 0;
    *base = vaddr_of(phys_to_virt(paddr(first)));
    return align_up(screen->base.value + bytes, PAGE_SIZE) - first;
}
