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

/* Runs the benches whose name is one of names, or begins with one of them; all when nr_names is 0. Returns 0, or
 * -ENOENT (and runs nothing) when a name fits none. Context: thread. */
MUST_CHECK int bench_run(int nr_names, char **names);

/* Called by the bench, once a round each, around what is measured. */
void bench_start(void);
void bench_stop(void);
