/* Distinct types for physical addresses, virtual addresses, page frame numbers and page sizes, so that one is never
 * taken for another. Crossing from one to another is a named function; physical to virtual is in mm/physmap.h. */
#pragma once

#include <base/types.h>

#define PAGE_SHIFT    12u
#define PAGE_SIZE     ((uint64_t)1 << PAGE_SHIFT)
#define PAGE_SHIFT_2M 21u
#define PAGE_SIZE_2M  ((uint64_t)1 << PAGE_SHIFT_2M)
#define PAGE_SHIFT_1G 30u
#define PAGE_SIZE_1G  ((uint64_t)1 << PAGE_SHIFT_1G)

typedef struct {
    uint64_t value;
} paddr_t; /* a physical address, in bytes */

typedef struct {
    uint64_t value;
} vaddr_t; /* a virtual address, in bytes */

typedef struct {
    uint64_t number;
} pfn_t; /* a page frame number: physical address / PAGE_SIZE */

typedef struct {
    uint64_t bytes;
} page_size_t; /* of one mapping: 4 KiB, 2 MiB or 1 GiB (SDM 3A 4.5) */

static inline paddr_t paddr(uint64_t value)
{
    return (paddr_t){value};
}

static inline vaddr_t vaddr(uint64_t value)
{
    return (vaddr_t){value};
}

static inline vaddr_t vaddr_of(const volatile void *pointer)
{
    return (vaddr_t){(uint64_t)(uintptr_t)pointer};
}

static inline void *vaddr_to_pointer(vaddr_t address)
{
    return (void *)(uintptr_t)address.value;
}

static inline pfn_t pfn(uint64_t number)
{
    return (pfn_t){number};
}

static inline pfn_t paddr_to_pfn(paddr_t address)
{
    return (pfn_t){address.value >> PAGE_SHIFT};
}

static inline paddr_t pfn_to_paddr(pfn_t frame)
{
    return (paddr_t){frame.number << PAGE_SHIFT};
}

static inline paddr_t paddr_add(paddr_t address, uint64_t bytes)
{
    return (paddr_t){address.value + bytes};
}

static inline vaddr_t vaddr_add(vaddr_t address, uint64_t bytes)
{
    return (vaddr_t){address.value + bytes};
}
