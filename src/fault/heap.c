/* Broken heap objects. */
#include <base/errno.h>
#include <mm/heap_report.h>
#include <mm/kmalloc.h>
#include <mm/page_alloc.h>
#include <mm/page_array.h>
#include <mm/slab.h>

#include "fault.h"

#define OBJECT_BYTES 64

/* A list node as a program would have it: the link is what a stale pointer follows. */
struct node {
    uint64_t padding[2];
    const uint64_t *next;
};

static NOINLINE uint64_t fault_follow(const struct node *node)
{
    return *node->next;
}

FAULT(use_after_free_read, 22, "use after free: what is read is poison, and cannot be followed")
{
    static const uint64_t value = 42;
    struct node *node = kmalloc(OBJECT_BYTES, ALLOC_ZERO);

    if (!node)
        return -ENOMEM;
    node->next = &value;
    kfree(node);
    return (int)fault_follow(opaque_pointer(node));
}

/* The object comes back within as many allocations as there are rounds in a magazine. */
static NOINLINE void fault_allocate_until_found(void)
{
    for (int i = 0; i < 1024; i++)
        (void)!kmalloc(OBJECT_BYTES, ALLOC_NORMAL);
}

FAULT(use_after_free_write, 23, "use after free write, with both sites")
{
    uint64_t *object = kmalloc(OBJECT_BYTES, ALLOC_ZERO);

    if (!object)
        return -ENOMEM;
    kfree(object);
    fault_write((uint64_t *)opaque_pointer(object) + 3, 0x4141414141414141);
    fault_allocate_until_found();
    return 0;
}

FAULT(use_after_free_idle, 23, "use after free write, found while there is nothing to do")
{
    uint64_t *object = kmalloc(OBJECT_BYTES, ALLOC_ZERO);

    if (!object)
        return -ENOMEM;
    kfree(object);
    fault_write((uint64_t *)opaque_pointer(object) + 2, 0x4242424242424242);
    return 0;
}

static NOINLINE void fault_free_again(void *object)
{
    kfree(object);
}

FAULT(double_free, 24, "double free")
{
    void *object = kmalloc(OBJECT_BYTES, ALLOC_NORMAL);

    if (!object)
        return -ENOMEM;
    kfree(object);
    fault_free_again(opaque_pointer(object));
    return 0;
}

FAULT(free_page_as_object, 24, "a page given to kfree")
{
    struct page *page = page_alloc(0, PAGE_PRIVATE, ALLOC_NORMAL);

    if (!page)
        return -ENOMEM;
    fault_free_again(page_to_address(page));
    return 0;
}

FAULT(wrong_cache, 24, "an object given to a cache that is not its own")
{
    struct slab_cache *cache = slab_cache_create("provoked", OBJECT_BYTES, 1, 0);
    void *object = kmalloc(OBJECT_BYTES, ALLOC_NORMAL);

    if (!cache || !object) {
        kfree(object);
        return cache && slab_cache_destroy(cache) != 0 ? -EBUSY : -ENOMEM;
    }
    slab_free(cache, opaque_pointer(object));
    return 0;
}

FAULT(middle_of_object, 24, "a pointer into the middle of an object given to kfree")
{
    uint8_t *object = kmalloc(OBJECT_BYTES, ALLOC_NORMAL);

    if (!object)
        return -ENOMEM;
    fault_free_again(opaque_pointer(object + 16));
    return 0;
}

FAULT(heap_overflow, 25, "write past the end of an object")
{
    uint8_t *object = kmalloc(40, ALLOC_NORMAL);

    if (!object)
        return -ENOMEM;
    for (uint64_t i = 0; i < opaque(44); i++)
        ((volatile uint8_t *)opaque_pointer(object))[i] = 0x41;
    fault_free_again(object);
    return 0;
}

FAULT(free_list, 26, "a free object's link overwritten")
{
    void *object = kmalloc(OBJECT_BYTES, ALLOC_NORMAL);
    uint64_t *link;

    if (!object)
        return -ENOMEM;
    kfree(object);
    link = heap_free_link_of(object);
    if (!link)
        return -ENOENT;
    fault_write(link, 0xffff800000001000);
    fault_allocate_until_found();
    return 0;
}
