/* Makes the n-th allocation from now fail, of whatever CPU, so that every error path of a workload can be walked. Armed
 * by one at a time. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

/* Which allocations count, OR-ed. */
#define FAIL_PAGE    (1u << 0) /* page_alloc */
#define FAIL_SLAB    (1u << 1) /* kmalloc, slab_alloc */
#define FAIL_VMALLOC (1u << 2) /* vmalloc, stack_alloc, device_map: the address space */
#define FAIL_ANY     (FAIL_PAGE | FAIL_SLAB | FAIL_VMALLOC)

extern unsigned fail_inject_kinds; /* [a] armed while not 0 */

/* The nth (from 1) counted allocation fails, once. Context: thread. */
void fail_inject_arm(unsigned kinds, uint64_t nth);

/* Ends it. Returns true when an allocation was made to fail since fail_inject_arm. Context: thread. */
bool fail_inject_disarm(void);

bool fail_inject_count(void);

/* For allocators: true when this one must fail. */
static inline bool fail_inject(unsigned kind)
{
    return UNLIKELY(READ_ONCE(fail_inject_kinds) & kind) && fail_inject_count();
}
