/* Whether CPUs agree on the time stamp counter. Every CPU that is compared calls tsc_compare on one comparison at the
 * same time; who started it then looks at behind_ticks, and distrusts the TSC when that is not 0. */
#pragma once

#include <base/types.h>
#include <sync/spinlock.h>

struct tsc_comparison {
    struct spinlock lock;
    uint64_t last;                    /* [l] */
    uint64_t behind_ticks;            /* [l] how far one CPU's counter was behind another's at most; 0: they agree */
    uint32_t nr_arrived, nr_finished; /* [a] */
};

#define TSC_COMPARISON_INITIALIZER                     \
    {                                                  \
        .lock = SPINLOCK_INITIALIZER("TSC comparison") \
    }

/* Waits for nr_cpus CPUs to be here, patience_ticks at most, then compares this one's counter with theirs so many
 * times, and waits as long for them to be done. Whoever came too late is compared less closely; what is found is true
 * anyway. Context: any but NMI; interrupts are off meanwhile. */
void tsc_compare(struct tsc_comparison *comparison, unsigned nr_cpus, unsigned rounds, uint64_t patience_ticks);
