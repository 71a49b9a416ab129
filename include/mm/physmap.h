/* All RAM at PHYSMAP_BASE: crossing between physical and virtual addresses.
 * (The kernel image's own addresses: boot/image.h.) Before mm_init only the first 4 GiB are mapped
 * there. Context: any. */
#pragma once

#include <base/address.h>
#include <base/layout.h>

static inline void *phys_to_virt(paddr_t address)
{
    return (void *)(uintptr_t)(PHYSMAP_BASE + address.value);
}

/* address lies in the physmap. */
static inline paddr_t physmap_to_phys(const volatile void *address)
{
    return (paddr_t){(uint64_t)(uintptr_t)address - PHYSMAP_BASE};
}
