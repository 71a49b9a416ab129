/* kmalloc on the host's own allocator, so that the address sanitizer watches every object's exact size. */
#pragma once

#include <stddef.h>

/* Allocations not yet given back. */
size_t plain_heap_in_use(void);

/* Lets the n-th allocation from now on (from 0) fail, once; -1: none. */
void plain_heap_fail_after(long n);
