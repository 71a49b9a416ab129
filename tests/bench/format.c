#include <debug/bench.h>
#include <lib/format.h>

KERNEL_BENCH(format_line, 2000)
{
    char line[128];

    bench_start();
    for (uint64_t i = 0; i < iterations; i++)
        snprintf(line, sizeof(line), "device %d of %s at 0x%x\n", 12345, "the first bus", 0xfee00000u);
    bench_stop();
}
