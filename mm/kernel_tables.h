/* The kernel's page tables, for mm's own init, audit and commands. */
#pragma once

#include "boot_alloc.h"
#include "page_table.h"

#include <mm/paging.h>

/* Changed with the lock "kernel page tables" held (paging.c). */
extern struct page_tables kernel_tables;

/* Makes new tables out of the boot allocator, fills them with the physmap, the image and the array of struct page, and
 * switches to them. Sets page_groups up. Returns 0, or -ENOMEM. Context: init. */
MUST_CHECK int kernel_tables_build(struct boot_allocator *allocator, const struct boot_info *info);

/* Once struct pages exist: gives each table its owner and count, and says how many tables there are. Further tables
 * come from page_alloc. Context: init. */
uint64_t kernel_tables_adopt(void);

/* Ranges of RAM that the physmap holds, whole frames, sorted, not overlapping. */
struct ram_range {
    pfn_t first, end;
    enum memory_kind kind;
};

/* Goes through them: *index is 0 at first; false past the last. A frame that two kinds of memory share goes to the
 * first. Context: any. */
bool ram_next(const struct boot_info *info, unsigned *index, struct ram_range *range);

/* One past the highest frame this CPU and the physmap can reach. */
pfn_t ram_limit(void);

/* Where the trampoline's tables show the screen; 0 bytes where it has none below 4 GiB. Context: any. */
uint64_t early_screen(const struct boot_info *info, vaddr_t *base);

/* mm_free_init_memory has run: init sections are gone, .data.ro_after_init is read-only. Context: any. */
bool mm_init_memory_is_free(void);

/* A part of the image that has a protection of its own. */
struct image_section {
    const char *name; /* ".text" */
    const char *start, *end;
    unsigned flags; /* enum map_flags */
    bool is_init;   /* given back by mm_free_init_memory */
};
#define IMAGE_SECTIONS 8
extern const struct image_section image_sections[IMAGE_SECTIONS];
