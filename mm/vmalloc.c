/* vmalloc and device mappings: address space from vm_area.c, frames from the page allocator, mappings from paging. */
#include <mm/vmalloc.h>

#include <base/align.h>
#include <base/assert.h>
#include <base/errno.h>
#include <base/layout.h>
#include <cpu/preempt.h>
#include <debug/panic.h>
#include <mm/kmalloc.h>
#include <mm/page_alloc.h>
#include <mm/page_array.h>
#include <mm/paging.h>

#include "heap_fault.h"
#include "kasan_map.h"
#include "vm_area.h"
#include "vmalloc_internal.h"

uint64_t vm_pages_held[2]; /* [a] counters: order nothing */

static enum page_owner owner_of(const struct vm_area *area)
{
    return area->kind == VM_AREA_STACK ? PAGE_STACK : PAGE_VMALLOC;
}

static void free_pages(struct vm_area *area)
{
    struct list *link;

    while ((link = list_first(&area->pages))) {
        struct page *page = list_entry(link, struct page, link);

        list_remove(link);
        page_free(page, 0);
    }
}

/* One frame a page; the last one is first in the list, so that frames are freed in the order they came. */
static int allocate_pages(struct vm_area *area, unsigned alloc_flags)
{
    for (uint64_t left = area->size_bytes; left; left -= PAGE_SIZE) {
        struct page *page = page_alloc(0, owner_of(area), alloc_flags);

        if (!page)
            return -ENOMEM;
        page->private_data = (uint64_t)(uintptr_t)area;
        list_add_last(&area->pages, &page->link);
    }
    return 0;
}

/* Maps the frames in list order, neighbouring ones in one step. */
static int map_pages(struct vm_area *area)
{
    uint64_t at = area->base, run_bytes = 0;
    paddr_t run = {0};
    struct page *page;

    list_for_each_entry (page, &area->pages, link) {
        paddr_t frame = pfn_to_paddr(page_to_pfn(page));
        int error;

        if (run_bytes && frame.value == run.value + run_bytes) {
            run_bytes += PAGE_SIZE;
            continue;
        }
        error = run_bytes ? paging_map(vaddr(at), run, run_bytes, MAP_WRITE | MAP_GLOBAL) : 0;
        if (error)
            return error;
        at += run_bytes;
        run = frame;
        run_bytes = PAGE_SIZE;
    }
    return paging_map(vaddr(at), run, run_bytes, MAP_WRITE | MAP_GLOBAL);
}

void vm_area_unmap(struct vm_area *area)
{
    uint64_t guards = area->kind == VM_AREA_STACK ? PAGE_SIZE : 0;
    /* Whole mappings of ours: no large page is split, so nothing needs to be allocated. */
    int error = paging_unmap(vaddr(area->base - guards), area->size_bytes + 2 * guards);

    ASSERT(error == 0);
}

int vm_area_populate(struct vm_area *area, unsigned alloc_flags)
{
    int error;

    if (area->size_bytes >= MIB(1) && area->size_bytes >> PAGE_SHIFT > page_counts().free)
        return -ENOMEM; /* instead of taking every page there is first */
    error = allocate_pages(area, alloc_flags);
    if (error)
        goto free;
    error = map_pages(area);
    if (error)
        goto unmap;
    __atomic_add_fetch(&vm_pages_held[area->kind], area->size_bytes >> PAGE_SHIFT, __ATOMIC_RELAXED);
    return 0;
unmap:
    vm_area_unmap(area);
free:
    free_pages(area);
    return error;
}

/* The mappings go without vm_area_lock: every CPU has to forget them, and may be waiting for the lock (mm/tlb.h). Until
 * then the area stays in the tree, marked, so that nobody gets its addresses and freeing it twice is seen. */
void vm_area_destroy(const void *address, enum vm_area_kind kind, const char *function)
{
    struct vm_area *area;
    bool is_right;

    assert_may_allocate();
    spinlock_lock(&vm_area_lock);
    area = vm_area_find_locked((uint64_t)(uintptr_t)address);
    is_right = area && area->kind == kind && !area->is_leaving;
    if (LIKELY(is_right))
        area->is_leaving = true;
    spinlock_unlock(&vm_area_lock);
    if (UNLIKELY(!is_right))
        panic("%s: %p is %s", function, address,
              area ? "an area of another kind, or freed already" : "not the start of an area");
    vm_area_unmap(area);
    kasan_unmap_area(area);
    spinlock_lock(&vm_area_lock);
    vm_area_remove_locked(area);
    spinlock_unlock(&vm_area_lock);
    if (kind != VM_AREA_DEVICE) {
        free_pages(area);
        __atomic_sub_fetch(&vm_pages_held[kind], area->size_bytes >> PAGE_SHIFT, __ATOMIC_RELAXED);
    }
    vm_area_release(area);
}

void *vmalloc(size_t size, unsigned alloc_flags)
{
    struct vm_area *area;

    if (size == 0 || size > VMALLOC_SIZE / 2)
        return NULL;
    area = vm_area_alloc(align_up(size, PAGE_SIZE), PAGE_SIZE, 0, VM_AREA_PAGES, __builtin_return_address(0));
    if (!area)
        return NULL;
    area->requested_bytes = size;
    if (vm_area_populate(area, alloc_flags) != 0) {
        vm_area_free(area);
        return NULL;
    }
    kasan_unpoison(vaddr_to_pointer(vaddr(area->base)), size);
    return vaddr_to_pointer(vaddr(area->base));
}

void vfree(void *address)
{
    if (address)
        vm_area_destroy(address, VM_AREA_PAGES, "vfree");
}

/* Any frame that the page allocator has, or gave to somebody. */
static bool has_memory(paddr_t base, uint64_t size)
{
    uint64_t end = paddr_to_pfn(base).number + size / PAGE_SIZE;

    if (end > page_groups.nr_frames)
        end = page_groups.nr_frames;
    for (uint64_t frame = paddr_to_pfn(base).number; frame < end; frame++)
        if (!pfn_has_page(pfn(frame)))
            frame |= PAGE_GROUP_FRAMES - 1;
        else if (page_of_pfn(pfn(frame))->owner != PAGE_RESERVED)
            return true;
    return false;
}

void *device_map(paddr_t base, uint64_t length, unsigned map_flags)
{
    uint64_t offset = base.value & (PAGE_SIZE - 1), size, alignment = PAGE_SIZE;
    paddr_t first = paddr(base.value - offset);
    struct vm_area *area;

    if (length == 0 || length > VMALLOC_SIZE / 2 || base.value + length < base.value ||
        map_flags & ~(unsigned)(MAP_WRITE | MAP_UNCACHED | MAP_WRITE_COMBINE))
        return NULL;
    size = align_up(offset + length, PAGE_SIZE);
    if (map_flags != MAP_READ && has_memory(first, size)) /* firmware that is wrong about where registers are */
        return NULL;
    if (size >= PAGE_SIZE_2M) /* lets paging use large pages */
        alignment = PAGE_SIZE_2M;
    area = vm_area_alloc(size, alignment, first.value & (alignment - 1), VM_AREA_DEVICE, __builtin_return_address(0));
    if (!area)
        return NULL;
    if (paging_map(vaddr(area->base), first, size, map_flags | MAP_GLOBAL) != 0) {
        vm_area_free(area);
        return NULL;
    }
    return vaddr_to_pointer(vaddr(area->base + offset));
}

void device_unmap(void *address)
{
    uint64_t page = align_down((uint64_t)(uintptr_t)address, PAGE_SIZE);

    if (address)
        vm_area_destroy(vaddr_to_pointer(vaddr(page)), VM_AREA_DEVICE, "device_unmap");
}
