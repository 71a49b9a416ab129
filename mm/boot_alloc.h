/* The allocator of boot: whole pages out of the sanitised memory map, before there is any struct page. Nothing is ever
 * given back; what is left at the end goes to the page allocator. One CPU, no locks. Context: init. */
#pragma once

#include <base/address.h>
#include <base/compiler.h>
#include <boot/boot_info.h>

/* What may be reserved inside usable memory: modules, and the kernel image, the loader's information, the first page,
 * the framebuffer and one more. */
#define BOOT_RESERVED_MAX (BOOT_MODULES_MAX + 5)

/* An allocation with an alignment leaves a rest above it. */
#define BOOT_SPLITS_MAX 32

#define BOOT_REGIONS_MAX (BOOT_MEMORY_MAX + BOOT_RESERVED_MAX + BOOT_SPLITS_MAX)

/* Free frames first to end - 1. */
struct boot_region {
    uint64_t first, end;
};

/* Each reservation and each aligned allocation adds one region at most, so BOOT_REGIONS_MAX is enough for the
 * reservations; where more alignment rests than BOOT_SPLITS_MAX come together, the smaller side of a split is given up
 * and stays unused. */
struct boot_allocator {
    unsigned nr_regions;
    uint64_t nr_lost;                             /* pages given up */
    struct boot_region regions[BOOT_REGIONS_MAX]; /* sorted, not overlapping, not empty */
};

/* All MEMORY_USABLE ranges below frame `limit` are free. */
void boot_alloc_init(struct boot_allocator *allocator, const struct memory_range *ranges, unsigned nr_ranges,
                     pfn_t limit);

/* Takes whatever of the bytes from base on is free away, rounded outwards to pages. A range past the address space is
 * cut. */
void boot_alloc_reserve(struct boot_allocator *allocator, paddr_t base, uint64_t length_bytes);

/* Takes nr_pages frames, their first a multiple of alignment_pages (a power of two), all below frame `limit`: the
 * highest there are, so that low memory stays. Contents are undefined. Returns 0, or -ENOMEM. */
MUST_CHECK int boot_alloc(struct boot_allocator *allocator, uint64_t nr_pages, uint64_t alignment_pages, pfn_t limit,
                          pfn_t *first);

uint64_t boot_alloc_nr_free(const struct boot_allocator *allocator);
