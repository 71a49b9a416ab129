/* The command `stress`: kinds of work on all CPUs at once, after which everything must be as it was. */
#include <base/errno.h>
#include <debug/command.h>
#include <debug/console.h>
#include <debug/test.h>
#include <dev/block.h>
#include <lib/parse.h>
#include <lib/string.h>
#include <time/clock.h>

#include "stress.h"

#define SECONDS_DEFAULT 5u
#define SECONDS_MAX     86400u /* a day */

static const struct stress_kind *const kinds[] = {
    &stress_threads, &stress_mutex,   &stress_queue, &stress_timers,
    &stress_kmalloc, &stress_vmalloc, &stress_pages, &stress_ipi,
};

#define NR_KINDS ARRAY_SIZE(kinds)

struct order {
    uint64_t seconds, seed;
    bool is_planted;
    struct stress stresses[NR_KINDS + 1]; /* and the disk's */
    unsigned nr;
};

static void add(struct order *order, const struct stress_kind *kind, struct block_device *disk)
{
    for (unsigned i = 0; i < order->nr; i++)
        if (order->stresses[i].kind == kind)
            return;
    order->stresses[order->nr++] = (struct stress){.kind = kind, .disk = disk};
}

static void add_all(struct order *order)
{
    for (unsigned i = 0; i < NR_KINDS; i++)
        add(order, kinds[i], NULL);
}

static struct block_device *disk_of(const struct order *order)
{
    for (unsigned i = 0; i < order->nr; i++)
        if (order->stresses[i].disk)
            return order->stresses[i].disk;
    return NULL;
}

static int add_named(struct order *order, const char *name)
{
    struct block_device *disk;

    for (unsigned i = 0; i < NR_KINDS; i++) {
        if (strcmp(name, kinds[i]->name) == 0) {
            add(order, kinds[i], NULL);
            return 0;
        }
    }
    disk = disk_of(order) ? NULL : block_device_get(name);
    if (!disk)
        return command_error(-EINVAL, "'%s' is no kind of stress, and not the name of one disk", name);
    add(order, &stress_disk, disk);
    return 0;
}

static int parse(int argc, char **argv, struct order *order)
{
    static const char seed[] = "seed=";
    int at = 1, error = 0;

    if (at < argc && parse_u64(argv[at], &order->seconds) == 0)
        at++;
    if (order->seconds == 0 || order->seconds > SECONDS_MAX)
        return command_error(-ERANGE, "SECONDS are 1 to %lu", (unsigned long)SECONDS_MAX);
    for (; at < argc && error == 0; at++) {
        if (strncmp(argv[at], seed, sizeof(seed) - 1) == 0)
            error = parse_u64(argv[at] + sizeof(seed) - 1, &order->seed);
        else if (strcmp(argv[at], "all") == 0)
            add_all(order);
        else if (strcmp(argv[at], "planted") == 0)
            order->is_planted = true;
        else
            error = add_named(order, argv[at]);
    }
    if (order->nr == 0)
        add_all(order);
    return error;
}

static int run(struct order *order)
{
    uint64_t deadline_ns = clock_now_ns() + order->seconds * NS_PER_S, nr_failures;
    char text[128];
    int error;

    console_printf("stress: %lu s, seed=%lu\n", order->seconds, order->seed);
    for (unsigned i = 0; i < order->nr; i++) {
        order->stresses[i].seed = order->seed + ((uint64_t)i << 32);
        order->stresses[i].deadline_ns = deadline_ns;
        order->stresses[i].is_planted = order->is_planted;
    }
    (void)stress_take_failures();
    test_counters_note();
    error = stress_run(order->stresses, order->nr);
    if (error < 0)
        return error;
    for (unsigned i = 0; i < order->nr; i++)
        console_printf("stress %s: %lu rounds\n", order->stresses[i].kind->name, order->stresses[i].nr_rounds);
    nr_failures = stress_take_failures(); /* now, so that the next one is said however many there were */
    if (!test_counters_compare(text, sizeof(text)))
        stress_fail("not as before: %s", text);
    nr_failures += stress_take_failures();
    if (nr_failures > 0) {
        console_printf("error: stress with seed=%lu: %lu failures\n", order->seed, nr_failures);
        return COMMAND_FAILED;
    }
    console_printf("stress: as before\n");
    return 0;
}

static int stress_command(int argc, char **argv)
{
    static struct order order; /* too large for the stack; the prompt runs one command at a time */
    struct block_device *disk;
    int error;

    order = (struct order){.seconds = SECONDS_DEFAULT, .seed = clock_now_ns()};
    error = parse(argc, argv, &order);
    if (error == 0)
        error = run(&order);
    disk = disk_of(&order);
    if (disk)
        block_device_put(disk);
    return error;
}

static const char *complete_kind(unsigned n)
{
    return n < NR_KINDS ? kinds[n]->name : NULL;
}

COMMAND(stress, .name = "stress", .arguments = "[SECONDS] [seed=N] [planted] [all | KIND | DISK]...",
        .summary = "work on all CPUs that checks itself; overwrites a DISK", .run = stress_command,
        .complete = complete_kind,
        .details =
            "Kinds: threads, mutex, queue, timers, kmalloc, vmalloc, pages, ipi; without any, all of them, for\n"
            "5 seconds. Afterwards free pages, objects, threads and whatever else tests count must be as before.\n"
            "planted: each kind makes mistakes, which must be found; some memory is lost.");
