/* FIFO threads on several CPUs: none waits on one CPU while another one that it may use runs somebody less urgent.
 * A few CPUs are an arena: each runs a fair thread that never waits, so that none becomes idle. */
#include <cpu/cpu_mask.h>
#include <debug/test.h>
#include <sched/thread.h>
#include <smp/cpu.h>
#include <sync/completion.h>
#include <time/clock.h>
#include <time/timer.h>

#define ARENA_MAX  4u
#define LOW        10u
#define MID        20u
#define HIGH       30u
#define CONTROL    50u
#define HANGS_NS   ((uint64_t)30 * NS_PER_S)
#define NOT_JOINED (-1)

struct spinner {
    struct thread *thread; /* NULL: there is none */
    struct completion started;
    bool must_end; /* [a] */
};

static struct spinner fair[ARENA_MAX], urgent[ARENA_MAX]; /* of each CPU of the arena; the test's own */
static struct cpu_mask arena;                             /* the same */
static uint32_t nr_cpus;                                  /* the same */

/* The one that is watched. */
static struct completion started, arrived;
static uint32_t began_on; /* [a] */
static bool must_end;     /* [a] */

static bool is_over(const bool *flag)
{
    return __atomic_load_n(flag, __ATOMIC_RELAXED);
}

static int spin(void *argument)
{
    struct spinner *spinner = argument;

    completion_complete(&spinner->started);
    while (!is_over(&spinner->must_end))
        cpu_relax();
    return 0;
}

/* EXPECT leaves its function where it fails: each is in one of its own, so that every arena is closed again. */
static void expect_no_error(int error)
{
    EXPECT_EQ(error, 0);
}

static void expect_happens(struct completion *completion)
{
    EXPECT_EQ(completion_wait_until(completion, clock_now_ns() + HANGS_NS), 0);
}

/* Starts one that stays on that CPU, and sees it run. */
static void start_spinner(struct spinner *spinner, uint32_t cpu, enum sched_class class)
{
    struct cpu_mask only = {0};
    int error;

    cpu_mask_set(&only, cpu);
    *spinner = (struct spinner){.thread = NULL};
    completion_init(&spinner->started, "spinner");
    error = thread_create(&spinner->thread,
                          &(struct thread_options){.name = "arena", .class = class, .priority = MID, .affinity = &only},
                          spin, spinner);
    expect_no_error(error);
    if (error)
        spinner->thread = NULL;
    else
        expect_happens(&spinner->started);
}

static void end_spinner(struct spinner *spinner)
{
    if (spinner->thread == NULL)
        return;
    __atomic_store_n(&spinner->must_end, true, __ATOMIC_RELAXED);
    expect_no_error(thread_join(spinner->thread, NULL));
    spinner->thread = NULL;
}

/* The test itself is on CPU 0, before everybody else. */
static bool open_arena(void)
{
    struct cpu_mask first = {0};

    nr_cpus = smp_nr_online() < ARENA_MAX ? smp_nr_online() : ARENA_MAX;
    if (nr_cpus == 1 || !timer_will_interrupt())
        return false;
    cpu_mask_set(&first, 0);
    cpu_mask_set_first(&arena, nr_cpus);
    completion_init(&started, "watched has started");
    completion_init(&arrived, "watched has arrived");
    __atomic_store_n(&must_end, false, __ATOMIC_RELAXED);
    expect_no_error(thread_set_affinity(thread_current(), &first));
    expect_no_error(thread_set_class(thread_current(), SCHED_FIFO, CONTROL));
    for (uint32_t cpu = 0; cpu < nr_cpus; cpu++) {
        urgent[cpu].thread = NULL;
        start_spinner(&fair[cpu], cpu, SCHED_FAIR);
    }
    return true;
}

/* Returns where the watched thread arrived. */
static int close_arena(struct thread *watched)
{
    int cpu = NOT_JOINED;

    __atomic_store_n(&must_end, true, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < nr_cpus; i++) {
        end_spinner(&urgent[i]);
        end_spinner(&fair[i]);
    }
    if (watched != NULL)
        expect_no_error(thread_join(watched, &cpu));
    expect_no_error(thread_set_class(thread_current(), SCHED_FAIR, 0));
    expect_no_error(thread_set_affinity(thread_current(), NULL));
    return cpu;
}

static struct thread *start_watched(thread_function function, const struct cpu_mask *affinity)
{
    struct thread_options options = {.name = "watched", .class = SCHED_FIFO, .priority = LOW, .affinity = affinity};
    struct thread *thread;
    int error = thread_create(&thread, &options, function, NULL);

    expect_no_error(error);
    return error ? NULL : thread;
}

static int leave_cpu(void *argument)
{
    uint32_t first = this_cpu_read(percpu.cpu_number);

    (void)argument;
    __atomic_store_n(&began_on, first, __ATOMIC_RELAXED);
    completion_complete(&started);
    while (this_cpu_read(percpu.cpu_number) == first && !is_over(&must_end))
        cpu_relax();
    completion_complete(&arrived);
    return (int)this_cpu_read(percpu.cpu_number);
}

KERNEL_TEST(preempted_goes_on, "thread/a_preempted_fifo_thread_goes_on_where_a_fair_one_runs")
{
    struct thread *watched;
    uint32_t cpu;

    if (!open_arena())
        return;
    watched = start_watched(leave_cpu, &arena);
    expect_happens(&started);
    cpu = __atomic_load_n(&began_on, __ATOMIC_RELAXED);
    start_spinner(&urgent[cpu], cpu, SCHED_FIFO);
    expect_happens(&arrived);
    (void)close_arena(watched);
}

static int say_where(void *argument)
{
    (void)argument;
    completion_complete(&arrived);
    return (int)this_cpu_read(percpu.cpu_number);
}

static void expect_waits(void)
{
    EXPECT(!completion_is_done(&arrived));
}

/* On CPU 0, behind a more urgent one, as on the first `nr` CPUs; it may use them all. */
static struct thread *start_waiting(uint32_t nr)
{
    struct cpu_mask first = {0};
    struct thread *watched;

    for (uint32_t cpu = 0; cpu < nr; cpu++)
        start_spinner(&urgent[cpu], cpu, SCHED_FIFO);
    cpu_mask_set(&first, 0);
    watched = start_watched(say_where, &first);
    if (watched != NULL && nr == nr_cpus)
        expect_no_error(thread_set_affinity(watched, &arena));
    expect_waits();
    return watched;
}

KERNEL_TEST(urgent_ends, "thread/a_waiting_fifo_thread_goes_where_a_more_urgent_one_has_ended")
{
    struct thread *watched;

    if (!open_arena())
        return;
    watched = start_waiting(nr_cpus);
    end_spinner(&urgent[nr_cpus - 1]);
    expect_happens(&arrived);
    EXPECT_EQ(close_arena(watched), nr_cpus - 1);
}

KERNEL_TEST(urgent_lowered, "thread/a_waiting_fifo_thread_goes_where_a_more_urgent_one_has_become_fair")
{
    struct thread *watched;

    if (!open_arena())
        return;
    watched = start_waiting(nr_cpus);
    if (urgent[nr_cpus - 1].thread != NULL)
        expect_no_error(thread_set_class(urgent[nr_cpus - 1].thread, SCHED_FAIR, 0));
    expect_happens(&arrived);
    EXPECT_EQ(close_arena(watched), nr_cpus - 1);
}

/* It goes before those of the other CPUs, but not before the test. */
KERNEL_TEST(waiting_raised, "thread/a_waiting_fifo_thread_that_is_raised_goes_where_a_less_urgent_one_runs")
{
    struct thread *watched;

    if (!open_arena())
        return;
    watched = start_waiting(nr_cpus);
    if (watched != NULL)
        expect_no_error(thread_set_class(watched, SCHED_FIFO, HIGH));
    expect_happens(&arrived);
    EXPECT(close_arena(watched) > 0);
}

KERNEL_TEST(waiting_may_leave, "thread/a_waiting_fifo_thread_goes_to_a_cpu_that_it_may_use_from_now_on")
{
    struct thread *watched;

    if (!open_arena())
        return;
    watched = start_waiting(1);
    if (watched != NULL)
        expect_no_error(thread_set_affinity(watched, &arena));
    expect_happens(&arrived);
    EXPECT(close_arena(watched) > 0);
}
