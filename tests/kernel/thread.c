/* Threads: making, ending, waiting, waking and preempting them. */
#include <base/errno.h>
#include <debug/test.h>
#include <sched/thread.h>
#include <time/clock.h>
#include <time/timer.h>

static int return_argument(void *argument)
{
    return (int)(intptr_t)argument;
}

static int exit_with_argument(void *argument)
{
    thread_exit((int)(intptr_t)argument);
}

KERNEL_TEST(exit_codes, "thread/exit_code_reaches_join")
{
    struct thread *thread;
    int code;

    for (intptr_t i = -2; i < 3; i++) {
        EXPECT_EQ(thread_create(&thread, &(struct thread_options){.name = "returns"}, return_argument, (void *)i), 0);
        EXPECT_EQ(thread_join(thread, &code), 0);
        EXPECT_EQ(code, i);
        EXPECT_EQ(thread_create(&thread, NULL, exit_with_argument, (void *)i), 0);
        EXPECT_EQ(thread_join(thread, &code), 0);
        EXPECT_EQ(code, i);
    }
}

static int add_one(void *argument)
{
    __atomic_fetch_add((uint32_t *)argument, 1, __ATOMIC_RELAXED);
    return 0;
}

KERNEL_TEST(many, "thread/many_at_once")
{
    static struct thread *threads[200];
    uint32_t count = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++)
        EXPECT_EQ(thread_create(&threads[i], NULL, add_one, &count), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++)
        EXPECT_EQ(thread_join(threads[i], NULL), 0);
    EXPECT_EQ(count, ARRAY_SIZE(threads));
}

KERNEL_TEST(detached, "thread/detached_one_runs_and_is_gone")
{
    struct thread *thread;
    uint32_t count = 0;

    EXPECT_EQ(thread_create(&thread, NULL, add_one, &count), 0);
    thread_detach(thread);
    while (__atomic_load_n(&count, __ATOMIC_RELAXED) == 0)
        thread_yield();
}

KERNEL_TEST(wait_deadline, "thread/wait_ends_at_the_deadline")
{
    uint64_t begin = clock_now_ns();

    thread_wait_begin(WAIT_SLEEP, NULL);
    EXPECT_EQ(thread_wait_until(begin + 20 * NS_PER_MS), (uint64_t)-ETIMEDOUT);
    EXPECT(clock_now_ns() >= begin + 20 * NS_PER_MS);
}
