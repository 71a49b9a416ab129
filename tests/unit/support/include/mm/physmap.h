/* On the host, RAM and its struct page array are two blocks of memory that host_memory_init (support/host_memory.h)
 * gets: this shadows include/mm/physmap.h in unit tests and fuzzers. */
#pragma once

#include <base/address.h>
#include <base/layout.h>

struct page;

extern char *host_physmap;           /* where physical address 0 would be */
extern struct page *host_page_array; /* the struct page of frame 0 */

static inline void *phys_to_virt(paddr_t address)
{
    return host_physmap + address.value;
}

static inline paddr_t physmap_to_phys(const volatile void *address)
{
    return (paddr_t){(uint64_t)((const volatile char *)address - host_physmap)};
}

static inline struct page *page_array(void)
{
    return host_page_array;
}
