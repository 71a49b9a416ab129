/* Which frames have a struct page, and the way between a frame, its address and its struct page.
 *
 * The array is mapped in groups of PAGE_GROUP_FRAMES: a 4 KiB page of it holds the struct pages of 512 KiB of RAM. A
 * bit for each group says whether it is there, so that a hole of the physical address space costs one bit for 512 KiB.
 * Frames of a group that are not RAM are PAGE_RESERVED. All of this is [I] once mm_init has returned. Context: any. */
#pragma once

#include <base/address.h>
#include <base/compiler.h>
#include <mm/page.h>
#include <mm/physmap.h>

#define PAGE_GROUP_SHIFT  7u
#define PAGE_GROUP_FRAMES ((uint64_t)1 << PAGE_GROUP_SHIFT)
static_assert(PAGE_GROUP_FRAMES * sizeof(struct page) == PAGE_SIZE, "a group fills one page of the array");

struct page_groups {
    uint64_t nr_frames;      /* one past the highest frame that has a struct page; a multiple of PAGE_GROUP_FRAMES */
    const uint64_t *present; /* a bit for each group */
};
extern struct page_groups page_groups;

static inline bool pfn_has_page(pfn_t frame)
{
    uint64_t group = frame.number >> PAGE_GROUP_SHIFT;

    return frame.number < page_groups.nr_frames && (page_groups.present[group / 64] >> (group % 64) & 1);
}

/* NULL where the frame has no struct page. */
static inline struct page *page_of_pfn(pfn_t frame)
{
    return LIKELY(pfn_has_page(frame)) ? page_array() + frame.number : NULL;
}

/* NULL where the address is not one of RAM in the physmap. */
static inline struct page *page_of_address(const void *physmap_address)
{
    return page_of_pfn(paddr_to_pfn(physmap_to_phys(physmap_address)));
}

/* True when all of it is RAM in the physmap, which is mapped. Any address may be asked about; length is not 0. */
static inline bool physmap_holds(const void *address, uint64_t length_bytes)
{
    /* What lies below the physmap becomes a frame beyond all there are, as what lies above it is. */
    uint64_t number = paddr_to_pfn(physmap_to_phys(address)).number;
    uint64_t end = paddr_to_pfn(paddr_add(physmap_to_phys(address), length_bytes - 1)).number + 1;

    while (number < end) {
        const struct page *page = page_of_pfn(pfn(number));
        uint64_t next_group = (number | (PAGE_GROUP_FRAMES - 1)) + 1;

        if (UNLIKELY(page == NULL))
            return false;
        for (uint64_t stop = next_group < end ? next_group : end; number < stop; number++, page++)
            if (UNLIKELY(READ_ONCE(page->owner) == PAGE_RESERVED))
                return false;
    }
    return length_bytes <= PHYSMAP_SIZE;
}

static inline pfn_t page_to_pfn(const struct page *page)
{
    return pfn((uint64_t)(page - page_array()));
}

/* In the physmap. */
static inline void *page_to_address(const struct page *page)
{
    return phys_to_virt(pfn_to_paddr(page_to_pfn(page)));
}

/* The pointer is that of a struct page, whatever it was computed from. */
static inline bool page_is_valid(const struct page *page)
{
    uint64_t offset = (uint64_t)(uintptr_t)page - (uint64_t)(uintptr_t)page_array();

    return offset % sizeof(struct page) == 0 && pfn_has_page(pfn(offset / sizeof(struct page)));
}
