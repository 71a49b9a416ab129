/* What an address is to the heap, for reports: no lock, and nothing read that may not be there. */
#include <lib/format.h>
#include <lib/string.h>
#include <mm/heap_report.h>

#include "kmalloc_large.h"
#include "slab_internal.h"

static void describe_slab_address(const struct slab_cache *cache, const void *address, char *buffer, size_t size)
{
    uint32_t offset = (uint32_t)((const char *)address - (const char *)slab_base(cache, address));
    const char *object = (const char *)address - offset % cache->stride;
    const struct object_trailer *trailer = object_trailer(cache, object);
    char allocated[96], freed[96];

    if (offset >= cache->objects_per_slab * cache->stride || offset >= cache->slab_bytes - sizeof(struct slab_header)) {
        snprintf(buffer, size, "header of a slab of '%s'", cache->name);
        return;
    }
    heap_format_site(allocated, sizeof(allocated), trailer->allocated_at);
    if (is_state_used(trailer->state)) {
        snprintf(buffer, size, "slab object '%s' +%u (in use, %u bytes, allocated at %s)", cache->name,
                 offset % cache->stride, trailer->state & ~STATE_USED_MASK, allocated);
    } else if (is_state_free(trailer->state)) {
        heap_format_site(freed, sizeof(freed), trailer->state & CODE_SITE_MASK);
        snprintf(buffer, size, "slab object '%s' +%u (free, allocated at %s, freed at %s)", cache->name,
                 offset % cache->stride, allocated, freed);
    } else {
        snprintf(buffer, size, "slab object '%s' +%u (its trailer is overwritten)", cache->name,
                 offset % cache->stride);
    }
}

bool heap_describe(const void *address, char *buffer, size_t size)
{
    struct page *page = page_of_address(address);
    char site[96];

    if (page && page->owner == PAGE_SLAB && page->cache) {
        describe_slab_address(page->cache, address, buffer, size);
        return true;
    }
    if (!page || page->owner != PAGE_LARGE || !(page = large_first_page(page)))
        return false;
    heap_format_site(site, sizeof(site), large_site(page));
    snprintf(buffer, size, "large allocation +%lu (%lu bytes, allocated at %s)",
             (unsigned long)((const char *)address - (const char *)page_to_address(page)),
             (unsigned long)large_size(page), site);
    return true;
}

void *heap_free_link_of(void *object)
{
    struct page *page = page_of_address(object);

    if (!page || page->owner != PAGE_SLAB || !is_state_free(object_trailer(page->cache, object)->state))
        return NULL;
    return &object_trailer(page->cache, object)->link;
}
