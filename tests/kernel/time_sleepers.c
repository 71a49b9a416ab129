/* A thread on every CPU sleeps, on every event source of the machine in turn: also on one that all CPUs share, as where
 * there is nothing but a HPET. */
#include <base/errno.h>
#include <cpu/cpu_mask.h>
#include <cpu/percpu.h>
#include <debug/test.h>
#include <sched/thread.h>
#include <smp/cpu.h>
#include <time/clock.h>
#include <time/source.h>
#include <time/timer.h>

#define SLEEPERS_MAX 8u
#define ROUNDS       12u
#define LATE_MAX_NS  (5 * NS_PER_S) /* a hang detector */

struct sleeper {
    struct thread *thread;
    uint64_t longest_late_ns;
    unsigned nr_short, nr_elsewhere;
    uint32_t cpu;
};

static struct sleeper sleepers[SLEEPERS_MAX]; /* [prompt] each thread's own, until it is joined */

/* None of two CPUs wakes at the same moments. */
static int sleep_often(void *argument)
{
    struct sleeper *sleeper = argument;

    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t delay_ns = (300 + 170 * (i % 7) + 37 * sleeper->cpu) * NS_PER_US, begin = clock_now_ns(), slept;

        sleep_ns(delay_ns);
        slept = clock_now_ns() - begin;
        sleeper->nr_elsewhere += this_cpu_read(percpu.cpu_number) != sleeper->cpu;
        if (slept < delay_ns)
            sleeper->nr_short++;
        else if (slept - delay_ns > sleeper->longest_late_ns)
            sleeper->longest_late_ns = slept - delay_ns;
    }
    return 0;
}

static int start(struct sleeper *sleeper, uint32_t cpu)
{
    struct cpu_mask only = {0};

    *sleeper = (struct sleeper){.cpu = cpu};
    cpu_mask_set(&only, cpu);
    return thread_create(&sleeper->thread, &(struct thread_options){.name = "sleeper", .affinity = &only}, sleep_often,
                         sleeper);
}

static void sleep_everywhere(const struct event_source *source)
{
    uint32_t nr = smp_nr_online() < SLEEPERS_MAX ? smp_nr_online() : SLEEPERS_MAX;
    int error = 0;

    for (uint32_t i = 0; i < nr; i++)
        error = error ? error : start(&sleepers[i], smp_nr_online() - 1 - i);
    for (uint32_t i = 0; i < nr; i++) {
        const struct sleeper *sleeper = &sleepers[i];

        if (sleeper->thread && thread_join(sleeper->thread, NULL) != 0)
            error = -EIO;
        if (sleeper->nr_short || sleeper->nr_elsewhere || sleeper->longest_late_ns > LATE_MAX_NS)
            test_fail(__FILE_NAME__, __LINE__, "%s, CPU %u: %u too short, %u elsewhere, %lu ns late", source->name,
                      sleeper->cpu, sleeper->nr_short, sleeper->nr_elsewhere, sleeper->longest_late_ns);
        sleepers[i].thread = NULL;
    }
    EXPECT_EQ(error, 0);
}

KERNEL_TEST(time_sleepers, "time/a_thread_of_every_cpu_sleeps_on_every_event_source")
{
    struct event_source *used = event_source_current(), *source;

    for (unsigned n = 0; (source = event_source_at(n)) != NULL; n++) {
        event_source_use(source);
        sleep_everywhere(source);
    }
    if (used)
        event_source_use(used);
}
