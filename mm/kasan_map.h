/* The address sanitizer's shadow, mapped: for mm's own init and vm_area.c. All of it is nothing in other builds. */
#pragma once

#include "boot_alloc.h"
#include "vm_area.h"

#include <base/kasan.h>

/* Areas of vmalloc begin and end on multiples of this, so that no two share a page of shadow. */
#define VM_AREA_GRANULE (CONFIG_KASAN ? (uint64_t)PAGE_SIZE << SHADOW_SHIFT : (uint64_t)PAGE_SIZE)

MUST_CHECK int kasan_map_boot_(struct boot_allocator *allocator, const struct boot_info *info);
void kasan_start_(const struct boot_info *info);
MUST_CHECK int kasan_map_area_(const struct vm_area *area);
void kasan_unmap_area_(const struct vm_area *area);

/* Maps the shadow of the image, of all RAM and of the early screen into kernel_tables, with frames of the boot
 * allocator's. Returns 0 or -ENOMEM. Context: init. */
static inline int kasan_map_boot(struct boot_allocator *allocator, const struct boot_info *info)
{
    return CONFIG_KASAN ? kasan_map_boot_(allocator, info) : 0;
}

/* With kernel_tables in use: clears the shadow of RAM, has accesses checked from now on, registers globals. Context:
 * init. */
static inline void kasan_start(const struct boot_info *info)
{
    if (CONFIG_KASAN)
        kasan_start_(info);
}

/* Maps the shadow of an area, guard pages included: nothing of it may be accessed; or, of a device mapping, anything.
 * Returns 0 or -ENOMEM with nothing mapped. Context: thread. */
static inline int kasan_map_area(const struct vm_area *area)
{
    return CONFIG_KASAN ? kasan_map_area_(area) : 0;
}

/* Takes it away and frees it, before the address space is anybody's. Context: any but NMI. */
static inline void kasan_unmap_area(const struct vm_area *area)
{
    if (CONFIG_KASAN)
        kasan_unmap_area_(area);
}
