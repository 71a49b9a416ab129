/* Clocks against each other, and sleeping on every event source. */
#include <cpu/interrupts.h>
#include <debug/test.h>
#include <time/clock.h>
#include <time/source.h>
#include <time/timer.h>

#define PPM 1000000

static uint64_t counted_ns(const struct clock_source *source, uint64_t counts)
{
    return counts * NS_PER_S / source->frequency_hz; /* of a second at most */
}

/* A reading between two of the clock, as close as it gets. */
static uint64_t read_close(struct clock_source *source, uint64_t *now_ns, uint64_t *doubt_ns)
{
    uint64_t best = 0, flags = irq_save();

    *doubt_ns = UINT64_MAX;
    for (unsigned i = 0; i < 20; i++) {
        uint64_t before = clock_now_ns(), count = source->read(source), after = clock_now_ns();

        if (after - before < *doubt_ns) {
            *doubt_ns = after - before;
            *now_ns = before + *doubt_ns / 2;
            best = count;
        }
    }
    irq_restore(flags);
    return best;
}

KERNEL_TEST(time_sources, "time/each_clock_source_is_within_100_ppm_of_the_clock")
{
    struct clock_source *source;

    for (unsigned n = 0; (source = clock_source_at(n)) != NULL; n++) {
        uint64_t begin_ns = 0, end_ns = 0, doubt, more_doubt, begin = read_close(source, &begin_ns, &doubt), end,
                 by_source;

        sleep_ns(200 * NS_PER_MS);
        end = read_close(source, &end_ns, &more_doubt);
        by_source = counted_ns(source, (end - begin) & source->mask);
        EXPECT(by_source * PPM <= (end_ns - begin_ns + doubt + more_doubt) * (PPM + 100));
        EXPECT((by_source + doubt + more_doubt) * PPM >= (end_ns - begin_ns) * (PPM - 100));
    }
}

KERNEL_TEST(time_monotonic, "time/the_clock_does_not_go_back")
{
    uint64_t last = 0;

    for (unsigned i = 0; i < 100000; i++) {
        uint64_t now = clock_now_ns();

        EXPECT(now >= last);
        last = now;
    }
}

/* Never early; late by what the host makes it, which only a bound that finds hangs can be put on. -icount is exact. */
KERNEL_TEST(time_sleep, "time/sleeping_on_every_event_source_is_never_short")
{
    static const uint64_t delays_ns[] = {0, 1, NS_PER_US, NS_PER_MS, 10 * NS_PER_MS};
    struct event_source *used = event_source_current(), *source;

    for (unsigned n = 0; (source = event_source_at(n)) != NULL; n++) {
        event_source_use(source);
        for (unsigned i = 0; i < ARRAY_SIZE(delays_ns); i++) {
            uint64_t begin = clock_now_ns(), slept;

            sleep_ns(delays_ns[i]);
            slept = clock_now_ns() - begin;
            if (slept < delays_ns[i] || slept > delays_ns[i] + NS_PER_S) {
                event_source_use(used);
                test_fail(__FILE_NAME__, __LINE__, "%s: %lu ns asked for, %lu slept", source->name, delays_ns[i],
                          slept);
                return;
            }
        }
    }
    if (used)
        event_source_use(used);
}

static unsigned order[4], nr_fired;

static void fire(struct timer *timer)
{
    order[nr_fired++] = (unsigned)(timer->deadline_ns % 10);
}

/* Nothing fires while they are set and one is cancelled: interrupts are off, however long the host takes. */
KERNEL_TEST(time_order, "time/timers_fire_in_order_and_cancelled_ones_do_not")
{
    static struct timer timers[4];
    bool was_queued, was_still_queued;
    uint64_t begin, flags;

    nr_fired = 0;
    flags = irq_save();
    begin = clock_now_ns() / 10 * 10 + 2 * NS_PER_MS;
    for (unsigned i = 0; i < 4; i++) {
        timer_init(&timers[i], fire);
        timer_set(&timers[i], begin + 3 - i);
    }
    was_queued = timer_cancel(&timers[1]);
    was_still_queued = timer_cancel(&timers[1]);
    irq_restore(flags);
    sleep_until_ns(begin + NS_PER_MS);
    EXPECT(was_queued);
    EXPECT(!was_still_queued);
    EXPECT_EQ(nr_fired, 3);
    EXPECT(order[0] == 0 && order[1] == 1 && order[2] == 3);
    EXPECT(!timer_cancel(&timers[0]));
}
