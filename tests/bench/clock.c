#include <cpu/tsc.h>
#include <debug/bench.h>

KERNEL_BENCH(clock_read, 10000)
{
    bench_start();
    for (uint64_t i = 0; i < iterations; i++)
        (void)tsc_now_ns();
    bench_stop();
}
