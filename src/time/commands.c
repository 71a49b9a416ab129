/* clock and timers. */
#include "timers.h"

#include <base/errno.h>
#include <debug/backtrace.h>
#include <debug/command.h>
#include <debug/console.h>
#include <time/calendar.h>
#include <time/clock.h>
#include <time/source.h>

static void print_wall(void)
{
    uint64_t wall = clock_wall_ns();
    struct calendar_time t;

    if (!wall) {
        console_printf("wall clock: none\n");
        return;
    }
    calendar_from_seconds(wall / NS_PER_S, &t);
    console_printf("wall clock: %04u-%02u-%02u %02u:%02u:%02u UTC\n", t.year, t.month, t.day, t.hour, t.minute,
                   t.second);
}

static int run_clock(int argc, char **argv)
{
    uint64_t now = clock_now_ns();
    const struct clock_source *source;

    (void)argv;
    if (argc > 1)
        return -E2BIG;
    console_printf("since boot: %lu.%09lu s\n", now / NS_PER_S, now % NS_PER_S);
    print_wall();
    console_printf("TSC measured against %s\n", tsc_measured_against());
    for (unsigned n = 0; (source = clock_source_at(n)) != NULL; n++)
        console_printf("%-8s %12lu Hz, wraps behind 0x%lx%s%s\n", source->name, source->frequency_hz, source->mask,
                       source == clock_source_current() ? ", in use" : "", source->rating == 0 ? ", not trusted" : "");
    return 0;
}

COMMAND(clock, .name = "clock", .arguments = "", .summary = "the time, and the counters it may come from",
        .run = run_clock);

static int run_timers(int argc, char **argv)
{
    struct timer_statistics statistics = timer_statistics();
    const struct event_source *source;
    struct queued_timer timer = {0};
    uint64_t now;
    char where[120];

    (void)argv;
    if (argc > 1)
        return -E2BIG;
    for (unsigned n = 0; (source = event_source_at(n)) != NULL; n++)
        console_printf("%-12s up to %lu s, %lu events%s%s\n", source->name, source->max_delay_ns / NS_PER_S,
                       __atomic_load_n(&source->nr_fired, __ATOMIC_RELAXED),
                       source == event_source_current() ? ", in use" : "", source->rating == 0 ? ", not trusted" : "");
    console_printf("%lu events, %lu timers fired, %lu queued\n", statistics.nr_events, statistics.nr_fired,
                   statistics.nr_queued);
    now = clock_now_ns();
    while (timer_queued_next(&timer)) {
        format_code_location(where, sizeof(where), (uint64_t)(uintptr_t)timer.function, false);
        console_printf("in %lu us: %s, CPU %u\n", timer.deadline_ns > now ? (timer.deadline_ns - now) / NS_PER_US : 0,
                       where, timer.cpu);
    }
    return 0;
}

COMMAND(timers, .name = "timers", .arguments = "", .summary = "what can interrupt at a moment, and what waits for it",
        .run = run_timers);
