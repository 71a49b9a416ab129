/* The command `fairness`: threads that want all the CPU time there is, and what each was given; and how long a FIFO
 * thread waits for the CPU among them. A scenario (sched/fairness) judges. */
#include <base/errno.h>
#include <cpu/cpu_mask.h>
#include <cpu/interrupts.h>
#include <debug/command.h>
#include <debug/console.h>
#include <lib/parse.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <mm/vmalloc.h>
#include <sched/thread.h>
#include <time/clock.h>

#define THREADS_MAX     32u
#define ROUNDS          300u
#define PERIOD_NS       (2 * NS_PER_MS)
#define TURNS_PER_PAUSE 1000u
#define LOAD_PIECE      3000u /* bytes a loading thread allocates */
#define FIFO_URGENT     60u
#define CONTROL_URGENT  90u /* who starts and ends the others goes before them all */

static uint32_t must_end;

struct competitor {
    struct thread *thread;
    int nice;
};

static bool is_over(void)
{
    return __atomic_load_n(&must_end, __ATOMIC_RELAXED) != 0;
}

/* Where QEMU runs one CPU at a time, a pause lets the next one have its turn. */
static int spin(void *unused)
{
    (void)unused;
    for (unsigned turn = 1; !is_over(); turn++) {
        if (turn % TURNS_PER_PAUSE == 0)
            cpu_relax();
    }
    return 0;
}

/* Spends its time in the kernel's own sections without preemption and without interrupts. */
static int load(void *unused)
{
    (void)unused;
    while (!is_over()) {
        void *large = vmalloc(LOAD_PIECE * 4, ALLOC_NORMAL), *small = kmalloc(LOAD_PIECE, ALLOC_NORMAL);

        kfree(small);
        vfree(large);
    }
    return 0;
}

static void sleep_until(uint64_t deadline_ns)
{
    do {
        thread_wait_begin(WAIT_SLEEP, NULL);
    } while (thread_wait_until(deadline_ns) == 0);
}

static int start(struct competitor *competitor, thread_function function, const struct cpu_mask *cpus)
{
    return thread_create(&competitor->thread,
                         &(struct thread_options){.name = "competitor", .nice = competitor->nice, .affinity = cpus},
                         function, NULL);
}

/* What the scheduler has given it, up to its end: a thread's time is added up when it loses the CPU. */
static uint64_t end(struct competitor *competitor)
{
    struct thread_info info;

    thread_get(competitor->thread);
    (void)thread_join(competitor->thread, NULL);
    thread_get_info(competitor->thread, &info);
    thread_put(competitor->thread);
    return info.cpu_time_ns;
}

/* Runs them for that long. Started are nr_started of them, in the end none. */
static int compete(struct competitor *competitors, unsigned nr, thread_function function, const struct cpu_mask *cpus,
                   uint64_t length_ns)
{
    unsigned nr_started = 0;
    int error = 0;

    __atomic_store_n(&must_end, 0, __ATOMIC_RELAXED);
    while (nr_started < nr && error == 0) {
        error = start(&competitors[nr_started], function, cpus);
        nr_started += error == 0;
    }
    if (error == 0)
        sleep_until(clock_now_ns() + length_ns);
    __atomic_store_n(&must_end, 1, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < nr_started; i++) {
        uint64_t time_ns = end(&competitors[i]);

        if (error == 0)
            console_printf("competitor %u nice %d cpu time %lu us\n", i, competitors[i].nice, time_ns / 1000);
    }
    return error;
}

/* SECONDS NICE...: on one CPU where `one` says so. */
static int share(int argc, char **argv, bool is_one_cpu)
{
    struct competitor competitors[THREADS_MAX];
    struct cpu_mask first;
    uint64_t seconds;
    unsigned nr = 0;

    cpu_mask_set_first(&first, 1);
    if (argc < 2 || (unsigned)argc > THREADS_MAX || parse_u64(argv[0], &seconds) < 0)
        return -EINVAL;
    for (int i = 1; i < argc; i++) {
        bool is_negative = argv[i][0] == '-';
        uint64_t level;

        if (parse_u64(argv[i] + is_negative, &level) < 0 || level > 20)
            return -EINVAL;
        competitors[nr++].nice = is_negative ? -(int)level : (int)level;
    }
    return compete(competitors, nr, spin, is_one_cpu ? &first : NULL, seconds * NS_PER_S);
}

/* A thread that sleeps for a while again and again: how late it runs. */
struct latency {
    struct thread *thread;
    uint64_t most_ns, sum_ns;
};

static int measure(void *argument)
{
    struct latency *latency = argument;

    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t due = clock_now_ns() + PERIOD_NS, late;

        sleep_until(due);
        late = clock_now_ns() - due;
        latency->sum_ns += late;
        latency->most_ns = late > latency->most_ns ? late : latency->most_ns;
    }
    return 0;
}

static int run_latency(const char *what, thread_function function, unsigned nr)
{
    struct latency latency = {0};
    struct competitor competitors[4] = {{.nice = -20}, {.nice = -20}, {.nice = 0}, {.nice = 19}};
    struct thread_options options = {.name = "latency", .class = SCHED_FIFO, .priority = FIFO_URGENT};
    unsigned nr_started = 0;
    struct cpu_mask first;
    int error = 0;

    cpu_mask_set_first(&first, 1);
    options.affinity = &first;
    __atomic_store_n(&must_end, 0, __ATOMIC_RELAXED);
    while (nr_started < nr && error == 0) {
        error = start(&competitors[nr_started], function, &first);
        nr_started += error == 0;
    }
    if (error == 0)
        error = thread_create(&latency.thread, &options, measure, &latency);
    if (error == 0)
        (void)thread_join(latency.thread, NULL);
    __atomic_store_n(&must_end, 1, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < nr_started; i++)
        (void)end(&competitors[i]);
    if (error == 0)
        console_printf("fifo beside %s: late by %lu ns on average, %lu at most\n", what, latency.sum_ns / ROUNDS,
                       latency.most_ns);
    return error;
}

static int run_latencies(void)
{
    int error = run_latency("nobody", spin, 0);

    if (error == 0)
        error = run_latency("four that spin", spin, 4);
    if (error == 0)
        error = run_latency("four that allocate", load, 4);
    return error;
}

static int fairness_command(int argc, char **argv)
{
    struct thread_info me;
    int error;

    if (argc < 2)
        return -EINVAL;
    thread_get_info(thread_current(), &me);
    error = thread_set_class(thread_current(), SCHED_FIFO, CONTROL_URGENT);
    if (error < 0)
        return error;
    if (strcmp(argv[1], "fifo") == 0)
        error = run_latencies();
    else if (strcmp(argv[1], "one") == 0 || strcmp(argv[1], "all") == 0)
        error = share(argc - 2, argv + 2, strcmp(argv[1], "one") == 0);
    else
        error = -EINVAL;
    if (thread_set_class(thread_current(), me.class, me.priority) < 0)
        error = -EINVAL;
    return error;
}

COMMAND(fairness, .name = "fairness", .arguments = "one|all SECONDS NICE... | fifo",
        .summary = "CPU time of busy threads; how late a FIFO thread runs", .run = fairness_command);
