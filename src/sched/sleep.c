/* Sleeping, which time/timer.h declares. */
#include <sched/thread.h>
#include <time/clock.h>
#include <time/timer.h>

void sleep_until_ns(uint64_t deadline_ns)
{
    do
        thread_wait_begin(WAIT_SLEEP, NULL);
    while (thread_wait_until(deadline_ns) == 0); /* woken for nothing */
}

void sleep_ns(uint64_t delay_ns)
{
    uint64_t now = clock_now_ns();

    sleep_until_ns(delay_ns > UINT64_MAX - now ? UINT64_MAX - 1 : now + delay_ns);
}
