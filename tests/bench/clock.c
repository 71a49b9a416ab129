#include <debug/bench.h>
#include <time/clock.h>

KERNEL_BENCH(clock_read, 10000)
{
    bench_start();
    for (uint64_t i = 0; i < iterations; i++)
        (void)clock_now_ns();
    bench_stop();
}
