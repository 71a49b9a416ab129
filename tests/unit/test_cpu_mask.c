/* Sets of CPUs against an array of truths. */
#include "support/unit.h"

#include <cpu/cpu_mask.h>

static void test_edges(void **state)
{
    struct cpu_mask mask = {0};

    assert_true(cpu_mask_is_empty(&mask));
    assert_int_equal(cpu_mask_next(&mask, 0), CPU_MAX);
    cpu_mask_set(&mask, CPU_MAX - 1);
    assert_int_equal(cpu_mask_next(&mask, 0), CPU_MAX - 1);
    assert_int_equal(cpu_mask_next(&mask, CPU_MAX), CPU_MAX);
    assert_false(cpu_mask_has(&mask, CPU_MAX));
    assert_false(cpu_mask_has(&mask, UINT32_MAX));
    cpu_mask_clear(&mask, CPU_MAX - 1);
    assert_true(cpu_mask_is_empty(&mask));
}

static void test_first(void **state)
{
    for (uint32_t count = 0; count <= CPU_MAX; count++) {
        struct cpu_mask mask;

        cpu_mask_set_first(&mask, count);
        assert_int_equal(cpu_mask_count(&mask), count);
        for (uint32_t cpu = 0; cpu < CPU_MAX; cpu++)
            assert_int_equal(cpu_mask_has(&mask, cpu), cpu < count);
    }
}

static void test_random_changes(void **state)
{
    bool is_in[CPU_MAX] = {false};
    struct cpu_mask mask = {0};
    uint32_t x = 7, cpu;

    for (unsigned i = 0; i < 20000; i++) {
        x = x * 1664525 + 1013904223;
        cpu = x >> 8 & (CPU_MAX - 1);
        switch (x >> 28 & 3) {
        case 0:
            cpu_mask_set(&mask, cpu);
            break;
        case 1:
            cpu_mask_clear(&mask, cpu);
            break;
        case 2:
            assert_int_equal(cpu_mask_set_atomic(&mask, cpu), is_in[cpu]);
            break;
        default:
            assert_int_equal(cpu_mask_clear_atomic(&mask, cpu), is_in[cpu]);
        }
        is_in[cpu] = !(x >> 28 & 1);
        if (i % 100 == 0) {
            uint32_t expected = 0;

            cpu_mask_for_each(cpu, &mask)
            {
                while (!is_in[expected])
                    expected++;
                assert_int_equal(cpu, expected++);
            }
            while (expected < CPU_MAX)
                assert_false(is_in[expected++]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_first),
        cmocka_unit_test(test_random_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
