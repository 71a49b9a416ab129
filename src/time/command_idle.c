/* idle: what wakes a CPU that has nothing to do. */
#include <base/errno.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <debug/command.h>
#include <debug/console.h>
#include <irq/irq.h>
#include <lib/parse.h>
#include <mm/kmalloc.h>
#include <time/clock.h>
#include <time/timer.h>

#define SECONDS_MAX 3600u

static uint64_t count_of(unsigned n)
{
    struct irq_statistics statistics;

    return irq_statistics(n, &statistics) ? statistics.handled + statistics.unclaimed : 0;
}

static unsigned nr_sources(void)
{
    struct irq_statistics statistics;
    unsigned n = 0;

    while (irq_statistics(n, &statistics))
        n++;
    return n;
}

static void print_source(unsigned n, uint64_t before)
{
    struct irq_statistics statistics;

    if (irq_statistics(n, &statistics) && statistics.handled + statistics.unclaimed > before)
        console_printf("%lu of vector %u, %s\n", statistics.handled + statistics.unclaimed - before, statistics.vector,
                       statistics.name);
}

/* The interrupt that ends the sleep is one of those counted. */
static int run_idle(int argc, char **argv)
{
    unsigned nr = nr_sources();
    uint64_t seconds, total, *counts;
    int error;

    if (argc != 2)
        return -EINVAL;
    error = parse_u64(argv[1], &seconds);
    if (error || seconds == 0 || seconds > SECONDS_MAX)
        return command_error(-EINVAL, "'%s' is no number of seconds from 1 to %u", argv[1], SECONDS_MAX);
    counts = kmalloc((nr + 1) * sizeof(*counts), ALLOC_ZERO);
    if (!counts)
        return -ENOMEM;
    for (unsigned n = 0; n < nr; n++)
        counts[n] = count_of(n);
    total = this_cpu_read(percpu.nr_interrupts);
    sleep_ns(seconds * NS_PER_S);
    total = this_cpu_read(percpu.nr_interrupts) - total;
    console_printf("%lu s halted, %lu interrupts with the one that ended it\n", seconds, total);
    for (unsigned n = 0; n < nr; n++)
        print_source(n, counts[n]);
    kfree(counts);
    return 0;
}

COMMAND(idle, .name = "idle", .arguments = "SECONDS", .summary = "halt for so long, and say what interrupted",
        .run = run_idle);
