/* Between the compiler's hooks (kcsan.c, kcsan_atomic.c), the table and the report. None of these files is
 * instrumented.
 */
#pragma once

#include "kcsan_watch.h"

#include <base/layout.h>
#include <cpu/percpu.h>
#include <debug/kcsan.h>

extern struct kcsan_table kcsan_table;
extern uint32_t kcsan_every;         /* [I] after boot; 0: off */
extern PER_CPU int32_t kcsan_skip;   /* [c] plain accesses until the next that is watched; a lost one does no harm */
extern PER_CPU uint32_t kcsan_quiet; /* [c] with interrupts off: this CPU is reporting */

/* The slow parts. frame: the hook's, whose return address is in the code that makes the access. */
void kcsan_meet(uint64_t address, uint64_t size, unsigned kind, void *const *frame);
void kcsan_sample(uint64_t address, uint64_t size, unsigned kind, void *const *frame);

/* mine set the watchpoint. other: who met it; NULL where the value changed from before to after, and nobody was seen.
 */
COLD void kcsan_report(const struct kcsan_party *mine, const struct kcsan_party *other, uint64_t before, uint64_t after,
                       void *const *frame);

#define KCSAN_FRAME ((void *const *)__builtin_frame_address(0))

static ALWAYS_INLINE void kcsan_access(uint64_t address, uint64_t size, unsigned kind, void *const *frame)
{
    /* Per-CPU variables look like small addresses. */
    if (UNLIKELY(kcsan_every == 0 || address < PHYSMAP_BASE))
        return;
    if (UNLIKELY(READ_ONCE(kcsan_table.nr_active) != 0))
        kcsan_meet(address, size, kind, frame);
    if (kind & KCSAN_MARKED)
        return;
    this_cpu_write(kcsan_skip, this_cpu_read(kcsan_skip) - 1);
    if (UNLIKELY(this_cpu_read(kcsan_skip) < 0))
        kcsan_sample(address, size, kind, frame);
}
