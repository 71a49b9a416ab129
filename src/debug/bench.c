/* What is timed is the bench's own loop, calls and all; nothing is subtracted. The least of five rounds is the one
 * least disturbed by cold caches and, on a real machine, by system management interrupts.
 *
 * The raw counter is what is counted. Under QEMU's -icount shift=0 it advances by one for each guest instruction, which
 * a loop of known length tells: the unit is then "instructions", elsewhere "ticks". */
#include <debug/bench.h>

#include <base/errno.h>
#include <cpu/registers.h>
#include <cpu/tsc.h>
#include <debug/command.h>
#include <debug/console.h>
#include <lib/string.h>

#define ROUNDS          5
#define PROBE_LOOPS     10000u
#define PROBE_TOLERANCE 64u /* instructions around the loop */

static struct {
    uint64_t begin_tsc, begin_ns;
    uint64_t ticks, ns; /* of the round */
    bool is_done;       /* bench_stop was reached */
    const char *skipped_because;
} measured; /* [prompt] one bench at a time, on its thread */

/* Earlier instructions have to be done first (SDM 2B, RDTSC). */
static uint64_t ordered_rdtsc(void)
{
    __asm__ volatile("lfence" : : : "memory");
    return rdtsc();
}

void bench_start(void)
{
    measured.begin_ns = tsc_now_ns();
    measured.begin_tsc = ordered_rdtsc();
}

void bench_skip(const char *why)
{
    measured.skipped_because = why;
}

void bench_stop(void)
{
    measured.ticks = ordered_rdtsc() - measured.begin_tsc;
    measured.ns = tsc_now_ns() - measured.begin_ns;
    measured.is_done = true;
}

/* Runs exactly 2 * PROBE_LOOPS instructions. */
static uint64_t probe(void)
{
    uint64_t begin = ordered_rdtsc();
    uint64_t loops = PROBE_LOOPS;

    __asm__ volatile("1: dec %0; jnz 1b" : "+r"(loops) : : "cc");
    return ordered_rdtsc() - begin - 2 * (uint64_t)PROBE_LOOPS;
}

bool bench_counts_instructions(void)
{
    return probe() <= PROBE_TOLERANCE && probe() <= PROBE_TOLERANCE;
}

/* Prints value / divisor with one digit behind the point. */
static void print_ratio(uint64_t value, uint64_t divisor, const char *unit)
{
    uint64_t tenths = (value * 10 + divisor / 2) / divisor;

    console_printf(" %lu.%lu %s", tenths / 10, tenths % 10, unit);
}

/* Returns 0, or -ENOMEM when the bench could not prepare itself. */
static int run(const struct kernel_bench *bench, const char *unit)
{
    uint64_t ticks = UINT64_MAX, ns = UINT64_MAX;

    measured.skipped_because = NULL;
    for (int round = 0; round < ROUNDS; round++) {
        measured.is_done = false;
        bench->run(bench->iterations);
        if (measured.skipped_because) {
            console_printf("%s skipped: %s\n", bench->name, measured.skipped_because);
            return 0;
        }
        if (!measured.is_done) {
            console_printf("%s could not run: out of memory\n", bench->name);
            return -ENOMEM;
        }
        if (measured.ticks < ticks)
            ticks = measured.ticks;
        if (measured.ns < ns)
            ns = measured.ns;
    }
    console_printf("%s", bench->name);
    print_ratio(ticks, bench->iterations, unit);
    print_ratio(ns, bench->iterations, "ns\n");
    return 0;
}

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_selected(const struct kernel_bench *bench, int nr_names, char **names)
{
    for (int i = 0; i < nr_names; i++) {
        if (begins_with(bench->name, names[i]))
            return true;
    }
    return nr_names == 0;
}

static bool selects_something(char *name)
{
    for (const struct kernel_bench *bench = __table_benches_start; bench < __table_benches_end; bench++) {
        if (is_selected(bench, 1, &name))
            return true;
    }
    return false;
}

static const struct kernel_bench *next_by_name(const struct kernel_bench *before)
{
    const struct kernel_bench *next = NULL;

    for (const struct kernel_bench *bench = __table_benches_start; bench < __table_benches_end; bench++) {
        if ((!before || strcmp(bench->name, before->name) > 0) && (!next || strcmp(bench->name, next->name) < 0))
            next = bench;
    }
    return next;
}

const char *bench_name(unsigned n)
{
    const struct kernel_bench *bench = NULL;

    do {
        bench = next_by_name(bench);
    } while (bench && n-- > 0);
    return bench ? bench->name : NULL;
}

int bench_run(int nr_names, char **names)
{
    const char *unit = bench_counts_instructions() ? "instructions" : "ticks";
    int error = 0;

    for (int i = 0; i < nr_names; i++) {
        if (!selects_something(names[i])) {
            return command_error(-ENOENT, "no benchmark's name begins with '%s'", names[i]);
        }
    }
    for (const struct kernel_bench *bench = next_by_name(NULL); bench; bench = next_by_name(bench)) {
        if (is_selected(bench, nr_names, names) && run(bench, unit) < 0)
            error = -ENOMEM;
    }
    return error;
}
