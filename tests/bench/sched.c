/* Threads: what a switch, a wake-up and a life cost. */
#include <debug/bench.h>
#include <sched/thread.h>

KERNEL_BENCH(yield_alone, 10000)
{
    bench_start();
    while (iterations-- > 0)
        thread_yield();
    bench_stop();
}

static int yield_often(void *argument)
{
    uint64_t iterations = *(const uint64_t *)argument;

    while (iterations-- > 0)
        thread_yield();
    return 0;
}

/* Two threads yield to each other: a turn is two switches. */
KERNEL_BENCH(yield_two, 10000)
{
    uint64_t others = iterations + 100;
    struct thread *other;

    if (thread_create(&other, NULL, yield_often, &others) != 0)
        return;
    thread_yield(); /* the other one has begun */
    bench_start();
    while (iterations-- > 0)
        thread_yield();
    bench_stop();
    (void)thread_join(other, NULL);
}

static int end(void *argument)
{
    (void)argument;
    return 0;
}

KERNEL_BENCH(thread_create_join, 1000)
{
    bench_start();
    while (iterations-- > 0) {
        struct thread *thread;

        if (thread_create(&thread, NULL, end, NULL) != 0)
            return;
        (void)thread_join(thread, NULL);
    }
    bench_stop();
}
