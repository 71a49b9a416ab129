/* memory: the firmware's map, the zones with their free blocks, and who owns every page. */
#include "kernel_tables.h"
#include "mm_audits.h"
#include "zone.h"

#include <boot/image.h>
#include <debug/command.h>
#include <debug/console.h>
#include <mm/page_alloc.h>

static const char *kind_name(enum memory_kind kind)
{
    static const char *const names[] = {
        [MEMORY_USABLE] = "usable",     [MEMORY_ACPI_RECLAIMABLE] = "ACPI tables",
        [MEMORY_ACPI_NVS] = "ACPI NVS", [MEMORY_RESERVED] = "reserved",
        [MEMORY_BAD] = "bad",
    };

    return kind <= MEMORY_BAD ? names[kind] : "?";
}

static void print_map(const struct boot_info *info)
{
    console_printf("Physical memory map:\n");
    for (unsigned i = 0; i < info->nr_memory; i++) {
        const struct memory_range *range = &info->memory[i];
        console_printf("  0x%013lx - 0x%013lx %9lu KiB  %s\n", range->base.value,
                       range->base.value + range->length_bytes - 1, range->length_bytes >> 10, kind_name(range->kind));
    }
}

static void print_image(void)
{
    console_printf("Kernel image at 0x%lx:\n", image_to_physical(__image_start).value);
    for (unsigned i = 0; i < IMAGE_SECTIONS; i++) {
        const struct image_section *section = &image_sections[i];
        console_printf("  0x%016lx %7lu KiB  %s%s\n", vaddr_of(section->start).value,
                       (uint64_t)(section->end - section->start) >> 10, section->name,
                       section->is_init && mm_init_memory_is_free() ? " (given back)" : "");
    }
}

static void print_zones(void)
{
    console_printf("Free blocks of 4 KiB << order:\n  %-8s %10s %10s", "zone", "pages", "free");
    for (unsigned order = 0; order <= PAGE_ORDER_MAX; order++)
        console_printf(" %5u", order);
    console_printf("\n");
    for (unsigned id = 0; id < ZONES; id++) {
        struct zone *zone = zone_get((enum zone_id)id);
        uint64_t flags = spinlock_lock_irqsave(&zone->lock);
        uint64_t total = zone->nr_total, blocks[PAGE_ORDER_MAX + 1];
        uint64_t free = zone->buddy.nr_free + page_alloc_cached((enum zone_id)id);

        for (unsigned order = 0; order <= PAGE_ORDER_MAX; order++)
            blocks[order] = zone->buddy.nr_blocks[order];
        spinlock_unlock_irqrestore(&zone->lock, flags);
        console_printf("  %-8s %10lu %10lu", zone->name, total, free);
        for (unsigned order = 0; order <= PAGE_ORDER_MAX; order++)
            console_printf(" %5lu", blocks[order]);
        console_printf("\n");
    }
}

static void print_owners(void)
{
    uint64_t found[PAGE_OWNERS], sum = 0;

    page_owners_count(found);
    console_printf("Pages by owner:\n");
    for (unsigned owner = 0; owner < PAGE_OWNERS; owner++) {
        console_printf("  %-14s %10lu pages %8lu KiB\n", page_owner_name(owner), found[owner],
                       found[owner] << (PAGE_SHIFT - 10));
        sum += found[owner];
    }
    console_printf("  %-14s %10lu pages %8lu KiB\n", "all", sum, sum << (PAGE_SHIFT - 10));
}

/* Usable memory that the kernel holds: what is not free. */
static void print_totals(const struct boot_info *info)
{
    uint64_t usable = 0, free = page_counts().free;

    for (unsigned i = 0; i < info->nr_memory; i++)
        if (info->memory[i].kind == MEMORY_USABLE)
            usable += info->memory[i].length_bytes >> PAGE_SHIFT;
    console_printf("Total: %lu MiB usable, %lu MiB free, %lu KiB used\n", usable >> (20 - PAGE_SHIFT),
                   free >> (20 - PAGE_SHIFT), (usable - free) << (PAGE_SHIFT - 10));
}

static int memory(int argc, char **argv)
{
    (void)argc, (void)argv;
    print_map(boot_info());
    print_image();
    print_zones();
    print_owners();
    print_totals(boot_info());
    return 0;
}

COMMAND(memory, .name = "memory", .arguments = "", .summary = "memory map, zones, free blocks and owners of pages",
        .run = memory);
