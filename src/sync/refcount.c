#include <sync/refcount.h>

/* Only who found the count at its end says so: from there on others find it saturated. */
static void saturate(struct refcount *count, enum refcount_misuse misuse, bool is_first, const void *where)
{
    __atomic_store_n(&count->value, REFCOUNT_SATURATED, __ATOMIC_RELAXED);
    if (is_first)
        refcount_report(count, misuse, where);
}

NOINLINE void refcount_bad_get_(struct refcount *count, int32_t before)
{
    saturate(count, before == 0 ? REFCOUNT_RAISED_FROM_ZERO : REFCOUNT_OVERFLOW, before >= 0,
             __builtin_return_address(0));
}

NOINLINE void refcount_bad_put_(struct refcount *count, int32_t before)
{
    saturate(count, REFCOUNT_UNDERFLOW, before == 0, __builtin_return_address(0));
}
