/* With the address sanitizer a freed slab object waits here, first in, first out, before it can be handed out again: so
 * that a stale pointer is still found for one after many other allocations. Nothing in other builds. */
#pragma once

#include <base/compiler.h>
#include <base/kasan.h>
#include <base/types.h>

struct slab_cache;

MUST_CHECK int quarantine_init_(void);
void quarantine_drain_(void);

/* Room for one object in 32 pages of memory, and a 64th of all memory in bytes. Returns 0 or -ENOMEM. Context: init. */
static inline int quarantine_init(void)
{
    return CONFIG_KASAN ? quarantine_init_() : 0;
}

/* Takes a free object that is in no list; gives as many of the oldest back to their slabs as are too many. Context: any
 * but NMI and machine check. */
void quarantine_put(struct slab_cache *cache, void *object);

/* Gives all back. Context: any but NMI and machine check. */
static inline void quarantine_drain(void)
{
    if (CONFIG_KASAN)
        quarantine_drain_();
}
