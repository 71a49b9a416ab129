/* The arithmetic of counters, the timer queue, the calendar. */
#include "../../src/time/clock_math.h"
#include "../../src/time/timer_queue.h"

#include <time/calendar.h>
#include <time/clock.h>

#include "support/random.h"
#include "support/unit.h"

static void a_second_of_counts_is_a_second(void **state)
{
    static const uint64_t frequencies[] = {1193182, 3579545, 14318180, 100000000, 999999999, 2596147278, 4000000000};

    for (unsigned i = 0; i < 7; i++) {
        uint64_t ns = clock_counts_to_ns(frequencies[i], clock_multiplier(frequencies[i]));

        assert_in_range(ns, NS_PER_S - 1, NS_PER_S + 1);
        ns = clock_counts_to_ns(frequencies[i] * 1000000,
                                clock_multiplier(frequencies[i])); /* 11 days: to a millisecond */
        assert_in_range(ns, 1000000 * NS_PER_S - NS_PER_MS, 1000000 * NS_PER_S + NS_PER_MS);
    }
}

static void wraps_are_known(void **state)
{
    assert_int_equal(clock_wrap_ns(0xffffff, 3579545) / NS_PER_MS, 4686);
    assert_int_equal(clock_wrap_ns(0xffffffff, 100000000) / NS_PER_MS, 42949);
    assert_true(clock_wrap_ns(UINT64_MAX, 4000000000) == UINT64_MAX);
}

/* Whatever the two have in common, and wherever the reference wrapped, what is left is what one is ahead. */
static void differences_survive_wraps(void **state)
{
    uint64_t random = 1;

    for (unsigned i = 0; i < 100000; i++) {
        uint64_t wrap = 4686000000 + random_below(&random, 40000000000), elapsed = random_below(&random, 1ull << 40);
        int64_t ahead = (int64_t)random_below(&random, 2000000000) - 1000000000;
        uint64_t reference = (elapsed + wrap - (uint64_t)ahead) % wrap;

        assert_int_equal(clock_difference_ns(elapsed, reference, wrap), ahead);
    }
    assert_int_equal(clock_difference_ns(5, 9, UINT64_MAX), -4);
}

static void drift_is_more_than_the_doubt(void **state)
{
    assert_false(clock_has_drifted(NS_PER_S, 499999, 0));
    assert_true(clock_has_drifted(NS_PER_S, 500001, 0));
    assert_true(clock_has_drifted(NS_PER_S, -500001, 0));
    assert_false(clock_has_drifted(NS_PER_S, -500001, 2000));
}

/* Random insertions and removals against an array that is searched: always the earliest, of equals the first that came.
 */
static void the_queue_gives_the_earliest(void **state)
{
    enum { COUNT = 64 };
    static struct timer timers[COUNT];
    static uint64_t came[COUNT];
    uint64_t random = 2;
    struct timer_queue queue;
    uint64_t now = 0;

    timer_queue_init(&queue);
    for (unsigned step = 0; step < 200000; step++) {
        unsigned n = (unsigned)random_below(&random, COUNT), best = COUNT;

        if (timers[n].place != TIMER_NOWHERE) {
            timer_queue_remove(&queue, &timers[n]);
        } else {
            timers[n].deadline_ns = random_below(&random, 16);
            came[n] = now++;
            timer_queue_insert(&queue, &timers[n]);
        }
        for (unsigned i = 0; i < COUNT; i++) {
            if (timers[i].place == TIMER_NOWHERE)
                continue;
            if (best == COUNT || timers[i].deadline_ns < timers[best].deadline_ns ||
                (timers[i].deadline_ns == timers[best].deadline_ns && came[i] < came[best]))
                best = i;
        }
        if (random_below(&random, 4) != 0) /* several come and go before it is asked */
            continue;
        assert_ptr_equal(timer_queue_first(&queue), best == COUNT ? NULL : &timers[best]);
    }
}

static void calendar_knows_its_days(void **state)
{
    uint64_t seconds;

    assert_true(calendar_to_seconds(&(struct calendar_time){1970, 1, 1, 0, 0, 0}, &seconds));
    assert_int_equal(seconds, 0);
    assert_true(calendar_to_seconds(&(struct calendar_time){2038, 1, 19, 3, 14, 8}, &seconds));
    assert_int_equal(seconds, 1ull << 31);
    assert_true(calendar_to_seconds(&(struct calendar_time){2000, 2, 29, 12, 0, 0}, &seconds));
    assert_int_equal(seconds, 951825600);
    assert_true(calendar_to_seconds(&(struct calendar_time){2106, 2, 7, 6, 28, 16}, &seconds));
    assert_int_equal(seconds, 1ull << 32);
    assert_false(calendar_to_seconds(&(struct calendar_time){2100, 2, 29, 0, 0, 0}, &seconds));
    assert_false(calendar_to_seconds(&(struct calendar_time){2001, 13, 1, 0, 0, 0}, &seconds));
    assert_false(calendar_to_seconds(&(struct calendar_time){2001, 0, 1, 0, 0, 0}, &seconds));
    assert_false(calendar_to_seconds(&(struct calendar_time){1969, 12, 31, 0, 0, 0}, &seconds));
}

static void calendar_goes_there_and_back(void **state)
{
    uint64_t random = 3;
    struct calendar_time time;
    uint64_t back;

    for (unsigned i = 0; i < 100000; i++) {
        uint64_t seconds = random_below(&random, 1ull << 38); /* up to the year 10680 */

        calendar_from_seconds(seconds, &time);
        assert_true(calendar_to_seconds(&time, &back));
        assert_int_equal(back, seconds);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_of_counts_is_a_second), cmocka_unit_test(wraps_are_known),
        cmocka_unit_test(differences_survive_wraps),      cmocka_unit_test(drift_is_more_than_the_doubt),
        cmocka_unit_test(the_queue_gives_the_earliest),   cmocka_unit_test(calendar_knows_its_days),
        cmocka_unit_test(calendar_goes_there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
