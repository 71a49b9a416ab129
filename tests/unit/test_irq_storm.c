/* When interrupts are a storm. */
#include "../../src/irq/internal.h"

#include "support/unit.h"

#define MS 1000000ull

static uint64_t now_ns;

static uint64_t now(void)
{
    return now_ns;
}

static bool note(struct storm_watch *watch, bool is_handled, uint64_t at_ns)
{
    now_ns = at_ns;
    return storm_note(watch, is_handled, now);
}

static void unclaimed_ones_in_a_burst_are_a_storm(void **state)
{
    struct storm_watch watch = {0};
    unsigned n = 1;

    while (!note(&watch, false, 1000 * MS + n * 1000))
        n++;
    assert_int_equal(n, 1000);
}

static void unclaimed_ones_now_and_then_are_not(void **state)
{
    struct storm_watch watch = {0};

    for (uint64_t n = 0; n < 100000; n++)
        assert_false(note(&watch, false, n * MS));
}

/* A shared line, one of whose devices is stuck: another's interrupts, few among so many, do not hide it. Where they are
 * as many as one in a hundred it is no storm. */
static void another_device_at_work_does_not_hide_it(void **state)
{
    struct storm_watch stuck = {0}, at_work = {0};
    unsigned n = 0;

    while (!note(&stuck, n % 300 == 7, 1000 * MS + n))
        n++;
    assert_in_range(n, 1000, 1010);
    for (n = 0; n < 100000; n++)
        assert_false(note(&at_work, n % 50 == 0, 1000 * MS));
}

static void a_busy_device_is_not_a_storm_and_a_stuck_one_is(void **state)
{
    struct storm_watch busy = {0}, stuck = {0};
    bool is_storm = false;

    for (uint64_t n = 0; n < 2000000; n++)
        assert_false(note(&busy, true, n * 1000)); /* 1,000,000 a second */
    for (uint64_t n = 0; n < 300000 && !is_storm; n++)
        is_storm = note(&stuck, true, n * 200); /* 5,000,000 */
    assert_true(is_storm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unclaimed_ones_in_a_burst_are_a_storm),
        cmocka_unit_test(unclaimed_ones_now_and_then_are_not),
        cmocka_unit_test(another_device_at_work_does_not_hide_it),
        cmocka_unit_test(a_busy_device_is_not_a_storm_and_a_stuck_one_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
