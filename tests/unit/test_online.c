/* Who is online, with gaps in the numbers: a CPU that stopped while it joined keeps its own. */
#include "support/unit.h"

#include "../../src/smp/online.c"

static void alone_is_next_to_itself(void **state)
{
    assert_int_equal(smp_nr_online(), 1);
    assert_int_equal(smp_next_online(0), 0);
}

static void a_gap_is_passed_over(void **state)
{
    smp_set_online(1, true);
    smp_set_online(2, true);
    smp_set_online(CPU_MAX - 1, true);
    smp_set_online(1, false);
    smp_set_online(1, false); /* once is enough */
    assert_int_equal(smp_nr_online(), 3);
    assert_false(smp_is_online(1));
    assert_int_equal(smp_next_online(0), 2);
    assert_int_equal(smp_next_online(1), 2);
    assert_int_equal(smp_next_online(2), CPU_MAX - 1);
    assert_int_equal(smp_next_online(CPU_MAX - 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alone_is_next_to_itself),
        cmocka_unit_test(a_gap_is_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
