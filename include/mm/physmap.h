/* The two windows onto RAM: all of it at PHYSMAP_BASE, and its array of struct page at PAGE_ARRAY_BASE. Crossing
 * between physical and virtual addresses happens here, and for the kernel image's own addresses in boot/image.h. Before
 * mm_init only the first 4 GiB are in the physmap, and the array is not mapped. Host tests shadow this file. Context:
 * any. */
#pragma once

#include <base/address.h>
#include <base/layout.h>

struct page;

static inline void *phys_to_virt(paddr_t address)
{
    return (void *)(uintptr_t)(PHYSMAP_BASE + address.value);
}

/* address lies in the physmap. */
static inline paddr_t physmap_to_phys(const volatile void *address)
{
    return (paddr_t){(uint64_t)(uintptr_t)address - PHYSMAP_BASE};
}

/* The struct page of frame 0; mapped only for frames of RAM (mm/page_array.h). */
static inline struct page *page_array(void)
{
    return (struct page *)PAGE_ARRAY_BASE;
}
