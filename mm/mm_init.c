/* From the firmware's memory map to a working page allocator, and what boot no longer needs back to it. */
#include <mm/init.h>

#include "boot_alloc.h"
#include "kernel_tables.h"
#include "mm_audits.h"
#include "zone.h"

#include <base/align.h>
#include <base/errno.h>
#include <boot/image.h>
#include <debug/log.h>
#include <mm/describe.h>
#include <mm/page_alloc.h>
#include <mm/physmap.h>

/* What must be left once memory is up: the heap, the first threads and a file or two. */
#define LEAST_FREE_PAGES (MIB(2) / PAGE_SIZE)

static INIT_DATA struct boot_allocator allocator;
static READ_ONLY_AFTER_INIT const struct boot_info *boot;
static bool is_init_memory_free; /* [I] once boot is done */

static INIT void say_what_is_ignored(const struct boot_info *info)
{
    uint64_t limit = ram_limit().number << PAGE_SHIFT, ignored = 0;

    for (unsigned i = 0; i < info->nr_memory; i++) {
        const struct memory_range *range = &info->memory[i];
        uint64_t end = range->base.value + range->length_bytes;
        if (range->kind == MEMORY_USABLE && end > limit)
            ignored += end - (range->base.value > limit ? range->base.value : limit);
    }
    if (ignored)
        log_warn("memory: %lu MiB lie above 0x%lx, the highest address this CPU and kernel reach, and are ignored",
                 ignored >> 20, limit);
}

static INIT void reserve(const struct boot_info *info)
{
    uint64_t image = (uint64_t)(__image_end - __image_start);

    boot_alloc_reserve(&allocator, paddr(0), PAGE_SIZE); /* the firmware's interrupt vectors and data area */
    boot_alloc_reserve(&allocator, image_to_physical(__image_start), image);
    boot_alloc_reserve(&allocator, info->loader_info, info->loader_info_length);
    for (unsigned i = 0; i < info->nr_modules; i++)
        boot_alloc_reserve(&allocator, info->modules[i].base, info->modules[i].length_bytes);
    if (info->framebuffer.kind != FRAMEBUFFER_NONE)
        boot_alloc_reserve(&allocator, info->framebuffer.base,
                           (uint64_t)info->framebuffer.pitch_bytes * info->framebuffer.height);
}

/* Writes the struct pages of frames first to end - 1. */
static void fill(uint64_t first, uint64_t end, enum page_owner owner)
{
    const struct page page = {
        .link = {LIST_POISON_NEXT, LIST_POISON_PREV},
        .owner = (uint8_t)owner,
        .order = PAGE_ORDER_TAIL,
    };

    for (uint64_t frame = first; frame < end; frame++)
        page_array()[frame] = page;
}

/* The frames of a RAM range: free where the boot allocator still has them. */
static INIT void fill_ram(const struct ram_range *range)
{
    uint64_t at = range->first.number;

    if (range->kind != MEMORY_USABLE) {
        fill(at, range->end.number, PAGE_RESERVED);
        return;
    }
    for (unsigned i = 0; i < allocator.nr_regions; i++) {
        const struct boot_region *region = &allocator.regions[i];
        if (region->first < at || region->first >= range->end.number)
            continue;
        fill(at, region->first, PAGE_KERNEL);
        fill(region->first, region->end, PAGE_FREE);
        at = region->end;
    }
    fill(at, range->end.number, PAGE_KERNEL);
    if (range->first.number == 0)
        fill(0, 1, PAGE_RESERVED);
}

/* Every struct page that is mapped: those between ranges of RAM, up to the next group, are reserved. */
static INIT void fill_page_array(const struct boot_info *info)
{
    struct ram_range range;
    uint64_t at = 0; /* frames below are done */

    for (unsigned i = 0; ram_next(info, &i, &range);) {
        uint64_t first = range.first.number, group_end = align_up(at, PAGE_GROUP_FRAMES);
        uint64_t group_start = align_down(first, PAGE_GROUP_FRAMES);

        fill(at, group_end < first ? group_end : first, PAGE_RESERVED);
        fill(group_start > at ? group_start : at, first, PAGE_RESERVED);
        fill_ram(&range);
        at = range.end.number;
    }
    fill(at, align_up(at, PAGE_GROUP_FRAMES), PAGE_RESERVED);
}

static INIT void start_page_alloc(void)
{
    page_alloc_init();
    for (unsigned i = 0; i < allocator.nr_regions; i++)
        page_alloc_add(pfn(allocator.regions[i].first), pfn(allocator.regions[i].end));
    page_alloc_cpu_init();
}

/* The third-level table of the vmalloc area's beginning is there for good (docs/locking.md): no later mapping has to
 * make it. */
static INIT int make_vmalloc_table(void)
{
    int error = paging_set_guard(vaddr(VMALLOC_BASE));

    return error ? error : paging_unmap(vaddr(VMALLOC_BASE), PAGE_SIZE);
}

INIT int mm_init(const struct boot_info *info)
{
    boot = info;
    say_what_is_ignored(info);
    boot_alloc_init(&allocator, info->memory, info->nr_memory, ram_limit());
    reserve(info);
    uint64_t available = boot_alloc_nr_free(&allocator);
    int error = kernel_tables_build(&allocator, info);
    if (error) {
        log_error("memory: %lu KiB usable: too little for page tables and struct pages",
                  available << (PAGE_SHIFT - 10));
        return error;
    }
    fill_page_array(info);
    start_page_alloc();
    kernel_tables_adopt();
    audit_register(&zone_audit);
    audit_register(&page_table_audit);
    describe_init();
    error = make_vmalloc_table();
    if (error)
        return error;

    struct page_counts counts = page_counts();
    log_info("memory: %lu MiB free of %lu MiB given to the page allocator, %s pages, %lu pages lost",
             counts.free >> (20 - PAGE_SHIFT), counts.total >> (20 - PAGE_SHIFT),
             kernel_tables.has_1g_pages ? "1 GiB" : "2 MiB", allocator.nr_lost);
    if (counts.free >= LEAST_FREE_PAGES)
        return 0;
    log_error("memory: %lu KiB are left, %lu KiB are needed", counts.free << (PAGE_SHIFT - 10),
              (uint64_t)LEAST_FREE_PAGES << (PAGE_SHIFT - 10));
    return -ENOMEM;
}

bool mm_init_memory_is_free(void)
{
    return is_init_memory_free;
}

/* The frame holds something that stays although it lies in what the loader's information covers. */
static bool is_still_needed(pfn_t frame)
{
    uint64_t base = pfn_to_paddr(frame).value, end = base + PAGE_SIZE;

    if (base < PAGE_SIZE ||
        (end > image_to_physical(__image_start).value && base < image_to_physical(__image_end).value))
        return true;
    for (unsigned i = 0; i < boot->nr_modules; i++) {
        const struct boot_module *module = &boot->modules[i];
        if (end > module->base.value && base < module->base.value + module->length_bytes)
            return true;
    }
    return false;
}

/* Gives one frame of RAM that boot held to the allocator. */
static uint64_t give_back_frame(pfn_t frame)
{
    const struct page *page = page_of_pfn(frame);

    if (!page || page->owner != PAGE_KERNEL)
        return 0;
    fill(frame.number, frame.number + 1, PAGE_FREE);
    page_alloc_add(frame, pfn(frame.number + 1));
    return 1;
}

static uint64_t give_back_image(const char *start, const char *end)
{
    uint64_t pages = 0;

    for (const char *at = start; at < end; at += PAGE_SIZE)
        pages += give_back_frame(paddr_to_pfn(image_to_physical(at)));
    return pages;
}

static uint64_t give_back_loader_info(void)
{
    uint64_t first = boot->loader_info.value >> PAGE_SHIFT, pages = 0;
    uint64_t end = (boot->loader_info.value + boot->loader_info_length + PAGE_SIZE - 1) >> PAGE_SHIFT;

    for (uint64_t frame = first; boot->loader_info_length != 0 && frame < end; frame++)
        if (!is_still_needed(pfn(frame)))
            pages += give_back_frame(pfn(frame));
    return pages;
}

/* Changes what may be done with part of the image through the physmap, as far as it is RAM there. */
static int protect_alias(const char *start, const char *end, unsigned flags)
{
    vaddr_t alias = vaddr_of(phys_to_virt(image_to_physical(start)));
    int error = start == end ? 0 : paging_protect(alias, (uint64_t)(end - start), flags);

    return error == -ENOENT ? 0 : error;
}

static uint64_t give_back_section(const struct image_section *section)
{
    int error = paging_unmap(vaddr_of(section->start), (uint64_t)(section->end - section->start));

    if (!error)
        error = protect_alias(section->start, section->end, MAP_WRITE);
    if (error) {
        log_warn("memory: %s stays: error %d", section->name, error);
        return 0;
    }
    return give_back_image(section->start, section->end);
}

/* Its driver has a mapping of its own by now. What is RAM as well stays. */
static void unmap_early_screen(void)
{
    vaddr_t base;
    uint64_t length = early_screen(boot, &base), start = 0;

    for (uint64_t offset = 0; offset <= length && length != 0; offset += PAGE_SIZE) {
        if (offset < length && !page_of_address(vaddr_to_pointer(vaddr_add(base, offset))))
            continue;
        if (offset > start && paging_unmap(vaddr_add(base, start), offset - start) != 0)
            log_warn("memory: the screen stays mapped in the physmap");
        start = offset + PAGE_SIZE;
    }
}

static void seal_read_only_data(void)
{
    uint64_t length = (uint64_t)(__ro_after_init_end - __ro_after_init_start);
    int error = length == 0 ? 0 : paging_protect(vaddr_of(__ro_after_init_start), length, MAP_READ);

    if (!error)
        error = protect_alias(__ro_after_init_start, __ro_after_init_end, MAP_READ);
    if (error)
        log_error("memory: .data.ro_after_init stays writable: error %d", error);
}

void mm_free_init_memory(void)
{
    uint64_t pages = give_back_image(__boot_start, __boot_end) + give_back_loader_info();

    for (unsigned i = 0; i < IMAGE_SECTIONS; i++)
        if (image_sections[i].is_init && image_sections[i].start != image_sections[i].end)
            pages += give_back_section(&image_sections[i]);
    seal_read_only_data();
    unmap_early_screen();
    is_init_memory_free = true;
    log_info("memory: %lu KiB of boot code, data and tables given back", pages << (PAGE_SHIFT - 10));
}
