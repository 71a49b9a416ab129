#include "plain_heap.h"

#include <stdlib.h>

#include <mm/kmalloc.h>

static size_t in_use;
static long until_failure = -1;

void *kmalloc(size_t size, unsigned flags)
{
    if (size == 0 || size > KMALLOC_MAX || until_failure-- == 0)
        return NULL;
    void *object = flags & ALLOC_ZERO ? calloc(1, size) : malloc(size);
    if (object)
        in_use++;
    return object;
}

void kfree(void *object)
{
    if (object)
        in_use--;
    free(object);
}

size_t plain_heap_in_use(void)
{
    return in_use;
}

void plain_heap_fail_after(long n)
{
    until_failure = n;
}
