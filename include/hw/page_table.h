/* Page-table entries in 4-level paging (SDM 3A 4.5.4, tables 4-15 to 4-20). */
#pragma once

#include <base/types.h>

#define PAGE_TABLE_LEVELS  4u /* 4: PML4, 3: page directory pointers, 2: page directory, 1: page table */
#define PAGE_TABLE_ENTRIES 512u
#define PAGE_TABLE_BITS    9u /* of the address that one level translates */

#define PTE_PRESENT  ((uint64_t)1 << 0)
#define PTE_WRITE    ((uint64_t)1 << 1)
#define PTE_USER     ((uint64_t)1 << 2)
#define PTE_PWT      ((uint64_t)1 << 3) /* with PCD: index into the PAT (SDM 3A 4.9.2) */
#define PTE_PCD      ((uint64_t)1 << 4)
#define PTE_ACCESSED ((uint64_t)1 << 5)
#define PTE_DIRTY    ((uint64_t)1 << 6)
#define PTE_LARGE    ((uint64_t)1 << 7) /* levels 3 and 2: maps a page of 1 GiB or 2 MiB */
#define PTE_GLOBAL   ((uint64_t)1 << 8)
#define PTE_NX       ((uint64_t)1 << 63)

/* Ignored by the CPU: ours. In entries that are not present they say why. */
#define PTE_SOFT_GUARD    ((uint64_t)1 << 9)  /* not present: a guard page */
#define PTE_SOFT_COW      ((uint64_t)1 << 10) /* present, read-only: to be copied when written */
#define PTE_SOFT_RESERVED ((uint64_t)1 << 11) /* not present: address space that is taken */

/* Bits 51 to 12: the frame of the page or of the next table. The third bit of the PAT index (bit 7 of level 1, bit 12
 * of a large page) is always 0 here. */
#define PTE_ADDRESS ((uint64_t)0x000ffffffffff000)
