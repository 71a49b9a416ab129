/* Counted references that cannot wrap. A count that is raised from 0, lowered below it, or raised past the largest
 * stays "saturated" for ever after: what it counts is never freed, which leaks one object instead of freeing one in
 * use. The first such misuse of a count is reported (a notice, the kernel goes on) with the place and with what is
 * known of the object; what follows on the same count is silent. The place is the caller's in every build: all that may
 * report is inlined.
 *
 *     refcount_set(&object->references, 1);           // the creator's
 *     refcount_get(&object->references);              // one more, by somebody who has one already
 *     if (refcount_put(&object->references))          // mine; true for the last one
 *         free_object(object);
 */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

struct refcount {
    int32_t value; /* [a] below 0: saturated */
};

#define REFCOUNT_INITIALIZER(count) \
    {                               \
        .value = (count)            \
    }

/* Far from both ends: gets and puts under way on every CPU move it a little and never back to a count. */
#define REFCOUNT_SATURATED (INT32_MIN / 2)

enum refcount_misuse { REFCOUNT_RAISED_FROM_ZERO, REFCOUNT_OVERFLOW, REFCOUNT_UNDERFLOW };

/* Says what happened, and goes on. Implemented by debug and the host test support. Context: any. */
COLD void refcount_report(const struct refcount *count, enum refcount_misuse misuse, const void *where);

/* Saturates the count; reports unless before, the value found, was saturated already. Context: any. */
COLD void refcount_bad_get_(struct refcount *count, int32_t before);
COLD void refcount_bad_put_(struct refcount *count, int32_t before);

/* count is 1 or more. Nobody else knows the object yet. */
static inline void refcount_set(struct refcount *count, int32_t value)
{
    __atomic_store_n(&count->value, value, __ATOMIC_RELAXED);
}

/* For reports: it may be another the next moment. 0 or more; INT32_MAX for saturated. */
static inline int32_t refcount_read(const struct refcount *count)
{
    int32_t value = __atomic_load_n(&count->value, __ATOMIC_RELAXED);

    return value < 0 ? INT32_MAX : value;
}

/* The caller has a reference, or a lock under which the last one is not given back. Context: any. */
static ALWAYS_INLINE void refcount_get(struct refcount *count)
{
    int32_t before = __atomic_fetch_add(&count->value, 1, __ATOMIC_RELAXED);

    if (UNLIKELY(before <= 0 || before == INT32_MAX))
        refcount_bad_get_(count, before);
}

/* For who finds the object without a reference, in a list the last put will take it out of: false when the last
 * reference is gone already. Context: any. */
MUST_CHECK static ALWAYS_INLINE bool refcount_get_unless_zero(struct refcount *count)
{
    int32_t before = __atomic_load_n(&count->value, __ATOMIC_RELAXED);

    do {
        if (before == 0)
            return false;
        if (UNLIKELY(before < 0 || before == INT32_MAX)) {
            refcount_bad_get_(count, before);
            return true;
        }
    } while (
        !__atomic_compare_exchange_n(&count->value, &before, before + 1, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return true;
}

/* True for the last reference: all that the others did with the object has happened, and it is the caller's to free.
 * Context: any. */
MUST_CHECK static ALWAYS_INLINE bool refcount_put(struct refcount *count)
{
    /* release: what this holder did comes before; pairs with the acquire of the last put */
    int32_t before = __atomic_fetch_sub(&count->value, 1, __ATOMIC_RELEASE);

    if (before == 1) {
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        return true;
    }
    if (UNLIKELY(before <= 0))
        refcount_bad_put_(count, before);
    return false;
}
