/* Benchmarks that run inside the kernel (`bench [NAME...]`). They live in tests/bench/. Under -icount shift=0 one TSC
 * nanosecond is one guest instruction, so what is printed is instructions. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

struct kernel_bench {
    const char *name; /* "kmalloc_kfree_64" */
    /* Prepares, then does the operation `iterations` times between bench_start and bench_stop. */
    void (*run)(uint64_t iterations);
    uint64_t iterations; /* a round; five rounds are run and the least is printed */
};

#define KERNEL_BENCH(identifier, bench_iterations)                                                                    \
    static void bench_##identifier(uint64_t iterations);                                                              \
    TABLE_ENTRY(benches)                                                                                              \
    static const struct kernel_bench kernel_bench_##identifier = {#identifier, bench_##identifier, bench_iterations}; \
    static void bench_##identifier(uint64_t iterations)

TABLE_DECLARE(const struct kernel_bench, benches);

/* Runs the benches whose names begin with one of names, all when nr_names is 0, in the order of their names. Prints for
 * each what one operation took, the least of five rounds of the bench's own loop, nothing subtracted:
 *
 *     kmalloc_kfree_64 143.2 instructions 143.2 ns
 *
 * The first figure is the raw time stamp counter, which under QEMU's -icount shift=0 counts instructions; where it does
 * not, the unit is "ticks". The second is the same time by the calibrated clock. Returns 0, or -ENOENT, with nothing
 * run, when a name selects nothing, or -ENOMEM when a bench could not
 * prepare itself: it then returned before bench_stop. Context: thread. */
MUST_CHECK int bench_run(int nr_names, char **names);

/* The name of the n-th bench, NULL past the last. */
const char *bench_name(unsigned n);

/* True where the time stamp counter counts instructions. */
bool bench_counts_instructions(void);

/* Called by a bench that this machine cannot run, instead of both below. why is printed. */
void bench_skip(const char *why);

/* Called by the bench, once a round each, around what is measured. */
void bench_start(void);
void bench_stop(void);
