#include "lockdep_stack.h"

#include <cpu/percpu.h>
#include <sync/lockdep_report.h>

/* The stacks found last, the latest first: an interrupt changes to its own and back, a switch to a thread's. A frame
 * lies in the stack it runs on, whatever is remembered of others, and a chain of frames does not leave that. */
#define STACKS_KEPT 4

struct range {
    uint64_t low, high;
};

static PER_CPU struct range stacks[STACKS_KEPT]; /* [c] */

static bool is_in(const struct range *range, uint64_t at)
{
    return at >= range->low && at < range->high;
}

static NOINLINE bool find_stack(struct range *kept, uint64_t at)
{
    struct range found;
    unsigned i = 1;

    while (i < STACKS_KEPT && !is_in(&kept[i], at))
        i++;
    if (i < STACKS_KEPT)
        found = kept[i];
    else if (!lockdep_find_stack(at, &found.low, &found.high))
        return false;
    for (i = i < STACKS_KEPT ? i : STACKS_KEPT - 1; i > 0; i--)
        kept[i] = kept[i - 1];
    kept[0] = found;
    return true;
}

uint32_t lockdep_capture_stack(const void **frames, const uint64_t *frame)
{
    uint64_t at = (uint64_t)(uintptr_t)frame, last;
    struct range *kept = *this_cpu_pointer(stacks);
    const void **to = frames, **end = frames + LOCKDEP_FRAMES_MAX;

    if (!is_in(kept, at) && !find_stack(kept, at)) {
        frames[0] = (const void *)(uintptr_t)frame[1];
        return 1;
    }
    last = kept->high - 2 * sizeof(*frame);
    if (UNLIKELY(at > last))
        return 0;
    do {
        const uint64_t *record = (const uint64_t *)(uintptr_t)at;
        uint64_t next = record[0];

        if (UNLIKELY(record[1] == 0))
            break;
        *to++ = (const void *)(uintptr_t)record[1];
        if (UNLIKELY(next <= at) || UNLIKELY(next > last)) /* only upwards */
            break;
        at = next;
    } while (to != end);
    return (uint32_t)(to - frames);
}
