/* test [list | NAME...] and bench [list | NAME...] */
#include "dispatch.h"

#include <base/assert.h>
#include <cpu/cpu_mask.h>
#include <debug/bench.h>
#include <debug/command.h>
#include <debug/console.h>
#include <debug/test.h>
#include <lib/string.h>
#include <sched/thread.h>

static void list(const char *(*name)(unsigned n))
{
    const char *text;

    for (unsigned n = 0; (text = name(n)) != NULL; n++)
        console_printf("%s\n", text);
}

static bool is_list(int argc, char **argv)
{
    return argc == 2 && strcmp(argv[1], "list") == 0;
}

/* What a test or bench looks at is often this CPU's: it stays on the first, and what it starts runs on any. */
static int stay_on_first_cpu(void)
{
    struct cpu_mask first;

    cpu_mask_set_first(&first, 1);
    return thread_set_affinity(thread_current(), &first);
}

static void leave_first_cpu(void)
{
    int error = thread_set_affinity(thread_current(), NULL);

    ASSERT(error == 0); /* some CPU runs */
}

static int run_test(int argc, char **argv)
{
    struct test_totals totals;
    int error;

    if (is_list(argc, argv)) {
        list(test_name);
        return 0;
    }
    error = stay_on_first_cpu();
    if (error < 0)
        return error;
    error = test_run(argc - 1, argv + 1, &totals);
    leave_first_cpu();
    if (error < 0)
        return error;
    if (totals.failed == 0)
        return 0;
    dispatch_error("test: %u of %u failed", totals.failed, totals.passed + totals.failed);
    return COMMAND_FAILED;
}

static const char *complete_test(unsigned n)
{
    return n == 0 ? "list" : test_name(n - 1);
}

COMMAND(test, .name = "test", .arguments = "[list | NAME...]", .summary = "run the tests inside the kernel",
        .run = run_test, .complete = complete_test,
        .details =
            "NAME is a test, or what the names of several begin with; without one all run. A test fails when one of\n"
            "its expectations does not hold, and when it leaves another number of free pages, slab objects or\n"
            "sanitizer reports than it found.");

static int run_bench(int argc, char **argv)
{
    int error;

    if (is_list(argc, argv)) {
        list(bench_name);
        return 0;
    }
    error = stay_on_first_cpu();
    if (error < 0)
        return error;
    error = bench_run(argc - 1, argv + 1);
    leave_first_cpu();
    return error;
}

static const char *complete_bench(unsigned n)
{
    return n == 0 ? "list" : bench_name(n - 1);
}

static const char bench_details[] =
    "Each line is a name, what one operation costs in ticks of the time stamp counter, and in nanoseconds: the\n"
    "least of five rounds. Under QEMU's -icount shift=0 a tick is an instruction, and the line says so.";

COMMAND(bench, .name = "bench", .arguments = "[list | NAME...]", .summary = "run the benchmarks inside the kernel",
        .run = run_bench, .complete = complete_bench, .details = bench_details);
