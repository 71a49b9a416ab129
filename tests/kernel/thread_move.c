/* Moving threads from CPU to CPU, wherever they are on their way to sleep. */
#include <cpu/cpu_mask.h>
#include <cpu/interrupts.h>
#include <debug/test.h>
#include <sched/thread.h>
#include <smp/cpu.h>
#include <time/clock.h>
#include <time/timer.h>

#define MOVE_FOR_NS   (200 * NS_PER_MS)
#define PAUSES_MAX    64u
#define ANNOUNCED_FOR 64u
#define LOOKS_MAX     100u

struct traveller {
    struct thread *thread;
    bool must_end; /* [a] */
};

static bool must_end(const struct traveller *traveller)
{
    return __atomic_load_n(&traveller->must_end, __ATOMIC_RELAXED);
}

static void pause_for(unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        cpu_relax();
}

/* Nearly always between announcing and sleeping. */
static int announce_waits(void *argument)
{
    const struct traveller *traveller = argument;

    while (!must_end(traveller)) {
        thread_wait_begin(WAIT_EVENT, traveller);
        pause_for(ANNOUNCED_FOR);
        thread_wait_end();
    }
    return 0;
}

static int wake_again_and_again(void *argument)
{
    const struct traveller *traveller = argument;

    for (unsigned i = 0; !must_end(traveller); i++) {
        (void)thread_wake(traveller->thread);
        pause_for(i % PAUSES_MAX);
    }
    return 0;
}

static void move_to(struct thread *thread, uint32_t cpu)
{
    struct cpu_mask only = {0};
    struct thread_info info;

    cpu_mask_set(&only, cpu);
    EXPECT_EQ(thread_set_affinity(thread, &only), 0);
    do {
        thread_yield();
        thread_get_info(thread, &info);
    } while (info.cpu != cpu);
}

/* Who moves it and who wakes it must not both make it runnable. */
KERNEL_TEST(moved_and_woken, "thread/moved_and_woken_at_once_before_it_sleeps")
{
    struct traveller traveller = {.must_end = false};
    uint64_t end = clock_now_ns() + MOVE_FOR_NS;
    struct thread *waker;
    int error;

    if (smp_nr_online() == 1 || !timer_will_interrupt())
        return;
    error = thread_create(&traveller.thread, &(struct thread_options){.name = "traveller"}, announce_waits, &traveller);
    EXPECT_EQ(error, 0);
    if (error)
        return;
    error = thread_create(&waker, &(struct thread_options){.name = "waker"}, wake_again_and_again, &traveller);
    EXPECT_EQ(error, 0);
    for (uint32_t i = 0; clock_now_ns() < end; i++)
        move_to(traveller.thread, i % smp_nr_online());
    __atomic_store_n(&traveller.must_end, true, __ATOMIC_RELAXED);
    if (!error)
        EXPECT_EQ(thread_join(waker, NULL), 0);
    EXPECT_EQ(thread_join(traveller.thread, NULL), 0);
}

/* Wait behind one another on a CPU they may not leave. */
struct crowd {
    struct cpu_mask cpu;
    uint32_t nr;
    bool must_end; /* [a] */
    struct thread *threads[3];
};

static int spin_in_crowd(void *argument)
{
    const struct crowd *crowd = argument;

    while (!__atomic_load_n(&crowd->must_end, __ATOMIC_RELAXED))
        cpu_relax();
    return 0;
}

static void gather(struct crowd *crowd, uint32_t cpu, uint32_t nr)
{
    struct thread_options options = {.name = "crowd", .class = SCHED_FIFO, .priority = 20, .affinity = &crowd->cpu};

    *crowd = (struct crowd){.nr = 0};
    cpu_mask_set(&crowd->cpu, cpu);
    while (crowd->nr < nr && thread_create(&crowd->threads[crowd->nr], &options, spin_in_crowd, crowd) == 0)
        crowd->nr++;
    EXPECT_EQ(crowd->nr, nr);
}

static void dissolve(struct crowd *crowd)
{
    __atomic_store_n(&crowd->must_end, true, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < crowd->nr; i++)
        EXPECT_EQ(thread_join(crowd->threads[i], NULL), 0);
}

static int return_cpu(void *argument)
{
    __atomic_store_n((bool *)argument, true, __ATOMIC_RELAXED);
    return (int)this_cpu_read(percpu.cpu_number);
}

/* On CPU 1 more wait than on CPU 2, but none of them may come. */
KERNEL_TEST(idle_takes, "thread/an_idle_cpu_takes_who_may_come_wherever_that_waits")
{
    struct cpu_mask mask = {0};
    struct crowd fixed, other;
    struct thread *waiting;
    bool has_run = false;
    int cpu, error;

    if (smp_nr_online() < 3 || !timer_will_interrupt())
        return;
    cpu_mask_set(&mask, 0);
    EXPECT_EQ(thread_set_affinity(thread_current(), &mask), 0);
    gather(&fixed, 1, 3);
    gather(&other, 2, 1);
    error = thread_create(
        &waiting,
        &(struct thread_options){.name = "waiting", .class = SCHED_FIFO, .priority = 10, .affinity = &other.cpu},
        return_cpu, &has_run);
    EXPECT_EQ(error, 0);
    if (!error) {
        cpu_mask_set(&mask, 2);
        EXPECT_EQ(thread_set_affinity(waiting, &mask), 0);
        for (unsigned i = 0; i < LOOKS_MAX && !__atomic_load_n(&has_run, __ATOMIC_RELAXED); i++)
            sleep_ns(NS_PER_MS);
        EXPECT(__atomic_load_n(&has_run, __ATOMIC_RELAXED));
    }
    dissolve(&other);
    dissolve(&fixed);
    if (!error) {
        EXPECT_EQ(thread_join(waiting, &cpu), 0);
        EXPECT_EQ(cpu, 0);
    }
    EXPECT_EQ(thread_set_affinity(thread_current(), NULL), 0);
}

/* No tick and nobody else on its CPU: nothing there happens to charge it. */
KERNEL_TEST(time_alone, "thread/cpu_time_of_one_that_runs_alone_is_seen")
{
    struct traveller traveller = {.must_end = false};
    struct cpu_mask last = {0};
    struct thread_info first, second;

    if (smp_nr_online() == 1 || !timer_will_interrupt())
        return;
    cpu_mask_set(&last, smp_nr_online() - 1);
    EXPECT_EQ(thread_create(&traveller.thread, &(struct thread_options){.name = "traveller", .affinity = &last},
                            announce_waits, &traveller),
              0);
    do {
        sleep_ns(NS_PER_MS);
        thread_get_info(traveller.thread, &first);
    } while (first.state != THREAD_RUNNING);
    sleep_ns(10 * NS_PER_MS);
    thread_get_info(traveller.thread, &second);
    __atomic_store_n(&traveller.must_end, true, __ATOMIC_RELAXED);
    EXPECT_EQ(thread_join(traveller.thread, NULL), 0);
    EXPECT(second.cpu_time_ns > first.cpu_time_ns);
}
