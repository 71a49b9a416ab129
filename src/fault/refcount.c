/* References counted wrongly. Each is done twice: the second time is not worth a report. */
#include <base/errno.h>
#include <mm/kmalloc.h>
#include <sync/refcount.h>

#include "fault.h"

#define OBJECT_BYTES 64

static NOINLINE void fault_get_reference(struct refcount *count)
{
    refcount_get(count);
    refcount_get(count);
}

static NOINLINE void fault_put_reference(struct refcount *count)
{
    (void)!refcount_put(count);
    (void)!refcount_put(count);
}

static NOINLINE int misuse(int32_t value, void (*use)(struct refcount *count))
{
    struct refcount *count = kmalloc(OBJECT_BYTES, ALLOC_ZERO);

    if (!count)
        return -ENOMEM;
    refcount_set(count, value);
    use(count);
    kfree(count);
    return 0;
}

FAULT(reference_from_zero, 30, "a reference taken to what has none left: saturated, and the kernel goes on")
{
    return misuse(0, fault_get_reference);
}

FAULT(reference_overflow, 30, "a reference count overflows: saturated, and the kernel goes on")
{
    return misuse(INT32_MAX, fault_get_reference);
}

FAULT(reference_underflow, 30, "one reference too many is given back: saturated, and the kernel goes on")
{
    return misuse(0, fault_put_reference);
}
