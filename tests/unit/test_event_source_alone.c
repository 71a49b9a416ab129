/* The TSC is distrusted before any event source is registered: what goes by it is used while there is nothing else, and
 * no longer. */
#include "../../src/time/clock_internal.h"

#include "support/unit.h"

#include <debug/log.h>
#include <time/clock.h>
#include <time/source.h>

static uint64_t now_ns;
static unsigned nr_warnings;

uint64_t clock_now_ns(void)
{
    return now_ns++;
}

struct spinlock time_lock = SPINLOCK_INITIALIZER("time");

void timer_reprogram(void)
{
}

void log_write(enum log_level level, const char *format, ...)
{
    nr_warnings += level == LOG_WARN;
}

static void arm(struct event_source *source, uint64_t delay_ns)
{
    source->nr_fired++;
}

static void disarm(struct event_source *source)
{
}

static struct event_source deadline = {
    .name = "tsc-deadline", .arm = arm, .disarm = disarm, .goes_by_tsc = true, .rating = 300};
static struct event_source hpet = {.name = "hpet", .arm = arm, .disarm = disarm, .rating = 100};

static void used_while_there_is_nothing_else(void **state)
{
    event_sources_distrust_tsc();
    assert_null(event_source_current());
    assert_int_equal(event_source_register(&deadline), 0);
    assert_ptr_equal(event_source_current(), &deadline);
    assert_int_equal(nr_warnings, 0);
    event_sources_distrust_tsc();
    assert_ptr_equal(event_source_current(), &deadline);
    assert_int_equal(nr_warnings, 1);
    assert_int_equal(event_source_register(&hpet), 0);
    assert_ptr_equal(event_source_current(), &hpet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(used_while_there_is_nothing_else)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
