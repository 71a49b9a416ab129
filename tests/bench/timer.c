#include <debug/bench.h>
#include <time/clock.h>
#include <time/timer.h>

#define LATER_NS (100 * NS_PER_S)

static void ignore(struct timer *timer)
{
    (void)timer;
}

/* The usual case, a time-out that does not happen: others are due before it. */
KERNEL_BENCH(timer_set_cancel, 1000)
{
    struct timer first, timer;
    uint64_t deadline = clock_now_ns() + LATER_NS;

    timer_init(&first, ignore);
    timer_init(&timer, ignore);
    timer_set(&first, deadline);
    bench_start();
    for (uint64_t i = 0; i < iterations; i++) {
        timer_set(&timer, deadline + NS_PER_S);
        (void)timer_cancel(&timer);
    }
    bench_stop();
    (void)timer_cancel(&first);
}

/* The one that is due first: the event source is armed twice. */
KERNEL_BENCH(timer_set_cancel_first, 1000)
{
    uint64_t deadline = clock_now_ns() + 100 * NS_PER_MS;
    struct timer timer;

    timer_init(&timer, ignore);
    bench_start();
    for (uint64_t i = 0; i < iterations; i++) {
        timer_set(&timer, deadline);
        (void)timer_cancel(&timer);
    }
    bench_stop();
}
