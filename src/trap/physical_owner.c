#include "physical_owner.h"

#include <lib/format.h>
#include <mm/page_array.h>

void describe_physical_owner(paddr_t address, char *buffer, size_t size)
{
    pfn_t frame = paddr_to_pfn(address);
    const struct page *page = page_of_pfn(frame);

    if (!page)
        snprintf(buffer, size, "frame 0x%lx: not RAM", frame.number);
    else
        snprintf(buffer, size, "frame 0x%lx: owner %s, references %u", frame.number, page_owner_name(page->owner),
                 page->references);
}
