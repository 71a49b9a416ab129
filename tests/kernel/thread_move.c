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
