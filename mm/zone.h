/* The zones of the page allocator, for mm's own init, audit and commands. */
#pragma once

#include "buddy.h"

#include <base/address.h>
#include <base/align.h>
#include <sync/spinlock.h>

enum zone_id {
    ZONE_LOW,    /* below 1 MiB: the start-up code of other CPUs must lie there; used last for anything else */
    ZONE_DMA32,  /* below 4 GiB: devices that know 32 address bits */
    ZONE_NORMAL, /* above */
    ZONES,
};

/* Frame numbers. */
#define ZONE_LOW_END   (MIB(1) >> PAGE_SHIFT)
#define ZONE_DMA32_END (GIB(4) >> PAGE_SHIFT)

struct zone {
    const char *name;     /* [I] */
    struct spinlock lock; /* taken from interrupts; nothing is called with it held */
    struct buddy buddy;   /* [l] */
    uint64_t nr_total;    /* [l] pages it was ever given */
};

struct zone *zone_get(enum zone_id id);

/* Empty zones, no CPU's list. Context: init, once (host tests: each). */
void page_alloc_init(void);

/* Gives the allocator frames first to end - 1, whose struct pages say PAGE_FREE and PAGE_ORDER_TAIL. Context: init. */
void page_alloc_add(pfn_t first, pfn_t end);

/* Counts a frame that was taken before the zones existed among their pages, so that it can be freed to them. Context:
 * init. */
void page_alloc_adopt(pfn_t frame);

/* Pages on the lists of all CPUs. Context: any; exact when nothing else runs. */
uint64_t page_alloc_cached(enum zone_id id);

/* Gives this CPU's lists back to the zones. Context: any but NMI and machine check. */
void page_alloc_drain_cpu(void);

/* Every page on a CPU's list is free and says so. Context: thread; exact when nothing else runs. */
void page_alloc_audit_lists(struct audit_report *report);
