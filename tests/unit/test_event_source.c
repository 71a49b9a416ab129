/* A TSC that drifts, as the clock and as what an event source goes by: the clock's watch finds it, and timers leave it.
 */
#include "../../src/time/clock_internal.h"

#include "support/unit.h"

#include <cpu/registers.h>
#include <cpu/tsc.h>
#include <time/clock.h>
#include <time/source.h>
#include <time/timer.h>

#define HZ      1000000000ull
#define READ_NS 100u /* what a reading of the slow counter takes */

static uint64_t now_ns; /* the true time */
static unsigned tsc_percent;
static unsigned nr_programmed;
static bool does_another_cpu_look; /* behind the next reading of the counter */

static uint64_t count_tsc(void)
{
    return now_ns / 100 * tsc_percent;
}

uint64_t rdtsc(void)
{
    uint64_t count = count_tsc();

    if (does_another_cpu_look) {
        does_another_cpu_look = false;
        now_ns += NS_PER_US;
        clock_watch();
    }
    return count;
}

uint64_t tsc_now_ns(void)
{
    return rdtsc();
}

void timer_set(struct timer *timer, uint64_t deadline_ns)
{
    timer->place = TIMER_UNSORTED;
}

bool timer_cancel(struct timer *timer)
{
    return true;
}

void timer_reprogram(void)
{
    nr_programmed++;
    event_program(now_ns + NS_PER_S);
}

static uint64_t read_tsc(struct clock_source *source)
{
    return rdtsc();
}

static uint64_t read_hpet(struct clock_source *source)
{
    return now_ns += READ_NS;
}

static struct clock_source tsc = {
    .name = "tsc", .read = read_tsc, .mask = UINT64_MAX, .frequency_hz = HZ, .rating = 300, .is_tsc = true};
static struct clock_source hpet = {
    .name = "hpet", .read = read_hpet, .mask = 0xffffffff, .frequency_hz = HZ, .rating = 250};

/* Fires when armed, and knows whether it still would. */
struct model {
    struct event_source source;
    bool is_armed;
};

static void arm(struct event_source *source, uint64_t delay_ns)
{
    CONTAINER_OF(source, struct model, source)->is_armed = true;
    source->nr_fired++;
}

static void disarm(struct event_source *source)
{
    CONTAINER_OF(source, struct model, source)->is_armed = false;
}

#define MODEL(label, rank, by_tsc)   \
    {                                \
        .source = {                  \
            .name = (label),         \
            .arm = arm,              \
            .disarm = disarm,        \
            .max_delay_ns = HZ,      \
            .goes_by_tsc = (by_tsc), \
            .rating = (rank)         \
        }                            \
    }

static struct model deadline = MODEL("tsc-deadline", 300, true), one_shot = MODEL("lapic", 200, false),
                    other = MODEL("other", 100, false), later = MODEL("later", 400, true);

static void assert_in_use(struct model *model)
{
    assert_ptr_equal(event_source_current(), &model->source);
    assert_true(model->is_armed);
}

static void watch(unsigned seconds)
{
    for (unsigned n = 0; n < seconds; n++) {
        now_ns += NS_PER_S + NS_PER_S / 10;
        clock_watch();
    }
}

static void a_good_tsc_keeps_its_timer(void **state)
{
    now_ns = NS_PER_S;
    tsc_percent = 100;
    clock_source_register(&hpet);
    clock_source_register(&tsc);
    assert_int_equal(event_source_register(&deadline.source), 0);
    assert_int_equal(event_source_register(&other.source), 0);
    assert_int_equal(event_source_register(&one_shot.source), 0);
    watch(10);
    assert_ptr_equal(clock_source_current(), &tsc);
    assert_in_use(&deadline);
}

/* A second CPU that comes by while the first one looks has nothing to add, and takes nothing back. */
static void watch_by_two(unsigned seconds)
{
    for (unsigned n = 0; n < seconds; n++) {
        does_another_cpu_look = true;
        watch(1);
    }
}

/* The best of the rest, armed at once; the one that was used is not armed any more. */
static void a_tsc_that_drifts_takes_its_timer_along(void **state)
{
    tsc_percent = 99;
    watch(1);
    assert_in_use(&deadline);
    watch_by_two(4);
    assert_ptr_equal(clock_source_current(), &hpet);
    assert_in_use(&one_shot);
    assert_false(deadline.is_armed);
    assert_ptr_equal(event_source_at(0), &one_shot.source);
    assert_ptr_equal(event_source_at(1), &other.source);
    assert_ptr_equal(event_source_at(2), &deadline.source);
    assert_int_equal(deadline.source.rating, 0);
}

static void what_goes_by_it_and_comes_later_is_not_used(void **state)
{
    assert_int_equal(event_source_register(&later.source), 0);
    assert_in_use(&one_shot);
    assert_int_equal(later.source.rating, 0);
}

/* What somebody has chosen for himself stays. */
static void another_choice_is_left_alone(void **state)
{
    event_source_use(&other.source);
    event_sources_distrust_tsc();
    assert_in_use(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_tsc_keeps_its_timer),
        cmocka_unit_test(a_tsc_that_drifts_takes_its_timer_along),
        cmocka_unit_test(what_goes_by_it_and_comes_later_is_not_used),
        cmocka_unit_test(another_choice_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
