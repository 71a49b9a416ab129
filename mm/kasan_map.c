/* Where the shadow comes from. Compiled without the address sanitizer.
 *
 * Mapped is the shadow of what is there: the image (part of .bss, through the trampoline's tables too, because the
 * redzones of stack variables are written from the first C function on), RAM in the physmap (an eighth of it), areas of
 * vmalloc while they live. Device mappings, which nobody poisons, share one page of zeroes. */
#include "kasan_map.h"

#include "kasan_shadow.h"
#include "kernel_tables.h"

#include <base/align.h>
#include <base/assert.h>
#include <base/errno.h>
#include <boot/image.h>
#include <cpu/registers.h>
#include <hw/page_table.h>
#include <lib/string.h>
#include <mm/page_alloc.h>
#include <mm/paging.h>
#include <mm/physmap.h>

static ALIGNED(PAGE_SIZE) uint8_t image_shadow[KASAN_IMAGE_SHADOW];
static ALIGNED(PAGE_SIZE) const uint8_t zeroes[PAGE_SIZE];
static INIT_DATA ALIGNED(PAGE_SIZE)
uint64_t early_tables[3][PAGE_TABLE_ENTRIES];

static_assert(KASAN_IMAGE_SHADOW / PAGE_SIZE <= PAGE_TABLE_ENTRIES, "one table of level 1 holds it");

INIT NO_KASAN void kasan_early_init_(void)
{
    const vaddr_t base = vaddr(shadow_of(KERNEL_BASE));
    uint64_t *table = page_table_at(paddr(read_cr3() & PTE_ADDRESS));

    for (unsigned level = PAGE_TABLE_LEVELS; level > 1; level--) {
        uint64_t *below = early_tables[PAGE_TABLE_LEVELS - level];

        table[page_table_index(base, level)] = image_to_physical(below).value | PTE_PRESENT | PTE_WRITE;
        table = below;
    }
    for (unsigned i = 0; i < KASAN_IMAGE_SHADOW / PAGE_SIZE; i++)
        table[page_table_index(base, 1) + i] =
            image_to_physical(image_shadow + i * PAGE_SIZE).value | PTE_PRESENT | PTE_WRITE;
}

/* Pages of shadow of the bytes from base on, as addresses. */
static void shadow_pages(uint64_t base, uint64_t length, uint64_t *from, uint64_t *to)
{
    *from = align_down(shadow_of(base), PAGE_SIZE);
    *to = align_up(shadow_of(base + length), PAGE_SIZE);
}

static void ram_shadow(const struct ram_range *range, uint64_t *from, uint64_t *to)
{
    shadow_pages(PHYSMAP_BASE + pfn_to_paddr(range->first).value,
                 (range->end.number - range->first.number) << PAGE_SHIFT, from, to);
}

/* Maps shadow at `at` to fresh frames: 2 MiB where that much is wanted and there is. Returns the bytes, or -ENOMEM. */
static INIT int64_t map_fresh(struct boot_allocator *allocator, uint64_t at, uint64_t to)
{
    uint64_t bytes = PAGE_SIZE_2M;
    pfn_t frame;

    if (at % PAGE_SIZE_2M != 0 || to - at < PAGE_SIZE_2M ||
        boot_alloc(allocator, PAGE_SIZE_2M / PAGE_SIZE, PAGE_SIZE_2M / PAGE_SIZE, ram_limit(), &frame) != 0) {
        bytes = PAGE_SIZE;
        if (boot_alloc(allocator, 1, 1, ram_limit(), &frame) != 0)
            return -ENOMEM;
    }
    int error = page_tables_map(&kernel_tables, vaddr(at), pfn_to_paddr(frame), bytes, MAP_WRITE | MAP_GLOBAL);
    return error ? error : (int64_t)bytes;
}

/* Two ranges of RAM may share a page of shadow. */
static INIT int map_ram(struct boot_allocator *allocator, const struct boot_info *info)
{
    struct ram_range range;
    uint64_t at = 0, from, to;

    for (unsigned i = 0; ram_next(info, &i, &range);) {
        ram_shadow(&range, &from, &to);
        at = at < from ? from : at;
        while (at < to) {
            int64_t bytes = map_fresh(allocator, at, to);

            if (bytes < 0)
                return (int)bytes;
            at += (uint64_t)bytes;
        }
    }
    return 0;
}

/* Page by page: where the screen lies over RAM, or shares a page of shadow with it, that is mapped already. */
static INIT int map_screen(const struct boot_info *info)
{
    uint64_t from, to;
    vaddr_t base;
    uint64_t length = early_screen(info, &base);

    shadow_pages(base.value, length, &from, &to);
    for (uint64_t at = from; length != 0 && at < to; at += PAGE_SIZE) {
        int error = page_tables_map(&kernel_tables, vaddr(at), image_to_physical(zeroes), PAGE_SIZE, MAP_GLOBAL);

        if (error && error != -EEXIST)
            return error;
    }
    return 0;
}

INIT int kasan_map_boot_(struct boot_allocator *allocator, const struct boot_info *info)
{
    int error = page_tables_map(&kernel_tables, vaddr(shadow_of(KERNEL_BASE)), image_to_physical(image_shadow),
                                KASAN_IMAGE_SHADOW, MAP_WRITE | MAP_GLOBAL);

    if (!error)
        error = map_ram(allocator, info);
    return error ? error : map_screen(info);
}

/* The compiler makes one for each file: it calls __asan_register_globals. */
typedef void (*constructor_function)(void);
extern const constructor_function __constructors_start[], __constructors_end[];

INIT void kasan_start_(const struct boot_info *info)
{
    struct ram_range range;
    uint64_t from, to;

    for (unsigned i = 0; ram_next(info, &i, &range);) {
        ram_shadow(&range, &from, &to);
        memset(vaddr_to_pointer(vaddr(from)), 0, to - from);
    }
    kasan_is_on = true;
    for (const constructor_function *constructor = __constructors_start; constructor < __constructors_end;
         constructor++)
        (*constructor)();
}

static int map_one(const struct vm_area *area, uint64_t at)
{
    struct page *page;
    paddr_t frame;
    int error;

    if (area->kind == VM_AREA_DEVICE)
        return paging_map(vaddr(at), image_to_physical(zeroes), PAGE_SIZE, MAP_GLOBAL);
    page = page_alloc(0, PAGE_SHADOW, 0);
    if (!page)
        return -ENOMEM;
    frame = pfn_to_paddr(page_to_pfn(page));
    memset(phys_to_virt(frame), KASAN_VMALLOC, PAGE_SIZE);
    error = paging_map(vaddr(at), frame, PAGE_SIZE, MAP_WRITE | MAP_GLOBAL);
    if (error)
        page_free(page, 0);
    return error;
}

/* Unmaps shadow [from, to) and frees what was its own. */
static void unmap(const struct vm_area *area, uint64_t from, uint64_t to)
{
    struct list frames = LIST_INITIALIZER(frames);
    struct page *page, *after;
    struct mapping mapping;

    for (uint64_t at = from; at < to && area->kind != VM_AREA_DEVICE; at += PAGE_SIZE)
        if (paging_lookup(vaddr(at), &mapping) == 0)
            list_add_last(&frames, &page_of_pfn(paddr_to_pfn(mapping.physical))->link);
    int error = paging_unmap(vaddr(from), to - from); /* whole mappings of ours: nothing is split */
    ASSERT(error == 0);
    list_for_each_entry_safe (page, after, &frames, link) {
        list_remove(&page->link);
        page_free(page, 0);
    }
}

int kasan_map_area_(const struct vm_area *area)
{
    uint64_t from = shadow_of(area->start), to = shadow_of(area->end);

    for (uint64_t at = from; at < to; at += PAGE_SIZE) {
        int error = map_one(area, at);

        if (error) {
            if (at > from)
                unmap(area, from, at);
            return error;
        }
    }
    return 0;
}

void kasan_unmap_area_(const struct vm_area *area)
{
    unmap(area, shadow_of(area->start), shadow_of(area->end));
}
