#include "lockdep_stack.h"

#include <cpu/percpu.h>
#include <sync/lockdep_report.h>

static PER_CPU uint64_t stack_low, stack_high; /* [c] the stack that was found last */

uint32_t lockdep_capture_stack(const void **frames, const uint64_t *frame)
{
    uint64_t at = (uint64_t)(uintptr_t)frame, low = this_cpu_read(stack_low), high = this_cpu_read(stack_high);
    uint32_t count = 0;

    if (at < low || at >= high) {
        if (!lockdep_find_stack(at, &low, &high)) {
            frames[0] = (const void *)(uintptr_t)frame[1];
            return 1;
        }
        this_cpu_write(stack_low, low);
        this_cpu_write(stack_high, high);
    }
    while (count < LOCKDEP_FRAMES_MAX && at % sizeof(*frame) == 0 && at >= low && at <= high - 2 * sizeof(*frame)) {
        const uint64_t *record = (const uint64_t *)(uintptr_t)at;

        if (record[1] == 0)
            break;
        frames[count++] = (const void *)(uintptr_t)record[1];
        low = at + 1; /* only upwards */
        at = record[0];
    }
    return count;
}
