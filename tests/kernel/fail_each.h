/* Something that allocates, done again and again with the first, the second, the third ... of its allocations failing,
 * until a run has none left to fail: it succeeds or says -ENOMEM, and each time all counters of the tests (free pages,
 * objects, threads, vectors) are as before. */
#pragma once

#include <base/types.h>

struct fail_steps {
    int (*take)(void *context);
    void (*give_back)(void *context); /* follows each take that succeeded */
    void *context;
};

/* There have to be more than `least` allocations. Fails the running test. Context: thread. */
void fail_each(const struct fail_steps *steps, uint64_t least);
