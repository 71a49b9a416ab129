/* What the race detector has to find (preset `kcsan`): a thread and a timer's interrupt add to one plain counter. */
#include <base/errno.h>
#include <cpu/cpu_mask.h>
#include <debug/kcsan.h>
#include <sched/thread.h>
#include <smp/cpu.h>
#include <time/clock.h>
#include <time/timer.h>

#include "fault.h"

#define PERIOD_NS 100000u
#define PERIODS   2000u
#define AT_A_TIME 64u

static struct {
    struct timer timer;
    uint64_t plain;    /* the race */
    uint64_t marked;   /* none: marked on both sides */
    uint32_t nr_fired; /* [a] */
} race;

static NOINLINE void fault_add_in_interrupt(uint64_t *counter)
{
    *counter += 1;
}

static NOINLINE void fault_add_in_thread(uint64_t *counter)
{
    *counter += 1;
    COMPILER_BARRIER();
}

static void fire(struct timer *timer)
{
    fault_add_in_interrupt(&race.plain);
    WRITE_ONCE(race.marked, READ_ONCE(race.marked) + 1);
    if (__atomic_add_fetch(&race.nr_fired, 1, __ATOMIC_RELAXED) < PERIODS)
        timer_set(timer, clock_now_ns() + PERIOD_NS);
}

FAULT(data_race, 0, "data race between a thread and an interrupt, and none where both sides are marked")
{
    race.nr_fired = 0;
    timer_init(&race.timer, fire);
    timer_set(&race.timer, clock_now_ns() + PERIOD_NS);
    while (__atomic_load_n(&race.nr_fired, __ATOMIC_RELAXED) < PERIODS) {
        for (unsigned i = 0; i < AT_A_TIME; i++)
            fault_add_in_thread(&race.plain);
        (void)DATA_RACE(race.marked);
    }
    timer_cancel(&race.timer);
    return 0;
}

/* The two CPUs add until the race has been seen, which takes both of them running at the same time: a busy host lets
 * them for moments only. */
#define MEET_MAX_NS 30000000000u

static uint64_t shared;   /* the race */
static uint32_t is_there; /* [a] */
static uint64_t before;   /* [I] races, while the two add */

static bool must_go_on(uint64_t end_ns)
{
    return kcsan_races() == before && clock_now_ns() < end_ns;
}

/* Not the same as the one above, nor as each other: else one function would do for all. */
static NOINLINE void fault_add_on_this_cpu(uint64_t *counter)
{
    *counter += 3;
    COMPILER_BARRIER();
}

static NOINLINE void fault_add_on_that_cpu(uint64_t *counter)
{
    *counter += 5;
    COMPILER_BARRIER();
}

static int add_there(void *unused)
{
    uint64_t end = clock_now_ns() + MEET_MAX_NS;

    (void)unused;
    __atomic_store_n(&is_there, 1, __ATOMIC_RELAXED);
    while (must_go_on(end))
        for (unsigned i = 0; i < AT_A_TIME; i++)
            fault_add_on_that_cpu(&shared);
    return 0;
}

FAULT(data_race_cpus, 0, "data race between threads on two CPUs")
{
    struct thread_options options = {.name = "racer"};
    struct cpu_mask there = {0};
    struct thread *thread;
    uint64_t end;
    int error;

    if (smp_nr_online() < 2)
        return -ENODEV;
    cpu_mask_set(&there, 1);
    options.affinity = &there;
    is_there = 0;
    before = kcsan_races();
    error = thread_create(&thread, &options, add_there, NULL);
    if (error)
        return error;
    while (!__atomic_load_n(&is_there, __ATOMIC_RELAXED))
        thread_yield();
    end = clock_now_ns() + MEET_MAX_NS;
    while (must_go_on(end))
        for (unsigned i = 0; i < AT_A_TIME; i++)
            fault_add_on_this_cpu(&shared);
    return thread_join(thread, &error);
}
