/* Places of CPUs, out of what CPUID would say. */
#include "support/unit.h"

#include <string.h>

#include "../../src/smp/topology.h"

/* A subleaf of 0xb: shift, how many, type. */
#define LEVEL(shift, count, type)                          \
    {                                                      \
        .eax = (shift), .ebx = (count), .ecx = (type) << 8 \
    }
#define SMT  1
#define CORE 2
#define DIE  5

static void expect_place(struct cpu_place place, uint32_t package, uint32_t core, uint32_t thread)
{
    assert_int_equal(place.package, package);
    assert_int_equal(place.core, core);
    assert_int_equal(place.thread, thread);
}

static void test_levels(void **state)
{
    static const struct cpuid_result levels[] = {LEVEL(1, 2, SMT), LEVEL(3, 6, CORE), LEVEL(0, 0, 0)};
    struct topology_shifts shifts;

    assert_true(topology_shifts_of_levels(levels, 3, &shifts));
    expect_place(topology_place(0, shifts), 0, 0, 0);
    expect_place(topology_place(5, shifts), 0, 2, 1);
    expect_place(topology_place(8 + 3, shifts), 1, 1, 1);
    expect_place(topology_place(0x12345678, shifts), 0x12345678 >> 3, 0, 0);
}

/* What lies between core and package counts as the core's number. */
static void test_more_levels(void **state)
{
    static const struct cpuid_result levels[] = {LEVEL(1, 2, SMT), LEVEL(4, 16, CORE), LEVEL(6, 64, DIE)};
    struct topology_shifts shifts;

    assert_true(topology_shifts_of_levels(levels, 3, &shifts));
    expect_place(topology_place(0x7f, shifts), 1, 31, 1);
}

static void test_levels_that_say_nothing(void **state)
{
    static const struct cpuid_result nothing[2], no_count[] = {LEVEL(1, 0, SMT)};
    struct topology_shifts shifts;

    assert_false(topology_shifts_of_levels(nothing, 2, &shifts));
    assert_false(topology_shifts_of_levels(no_count, 1, &shifts));
    assert_false(topology_shifts_of_levels(nothing, 0, &shifts));
}

/* A CPU may say anything: no shift is beyond a word. */
static void test_any_levels(void **state)
{
    struct topology_shifts shifts;
    uint32_t x = 1;

    for (unsigned i = 0; i < 20000; i++) {
        struct cpuid_result levels[3];
        uint32_t *words = (uint32_t *)levels;

        for (unsigned word = 0; word < sizeof(levels) / (sizeof(*words)); word++)
            words[word] = x = x * 1664525 + 1013904223;
        if (topology_shifts_of_levels(levels, 3, &shifts))
            (void)topology_place(x, shifts);
    }
}

static void test_counts(void **state)
{
    expect_place(topology_place(3, topology_shifts_of_counts(1, 1)), 3, 0, 0);
    expect_place(topology_place(7, topology_shifts_of_counts(4, 2)), 1, 1, 1);
    expect_place(topology_place(7, topology_shifts_of_counts(6, 3)), 0, 3, 1);  /* ids have gaps */
    expect_place(topology_place(5, topology_shifts_of_counts(2, 64)), 2, 1, 0); /* contradictory */
}

static void test_amd(void **state)
{
    expect_place(topology_place(7, topology_shifts_of_amd(0x2003, 1)), 1, 3, 0);
    expect_place(topology_place(7, topology_shifts_of_amd(0x0003, 1)), 1, 3, 0);  /* no size is told */
    expect_place(topology_place(6, topology_shifts_of_amd(0x0005, 1)), 0, 6, 0);  /* six cores: ids have gaps */
    expect_place(topology_place(23, topology_shifts_of_amd(0x400f, 2)), 1, 3, 1); /* 16 threads of 8 cores */
    expect_place(topology_place(5, topology_shifts_of_amd(0x0000, 1)), 5, 0, 0);
    expect_place(topology_place(3, topology_shifts_of_amd(0x1001, 64)), 1, 0, 1); /* contradictory */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels),     cmocka_unit_test(test_more_levels),
        cmocka_unit_test(test_any_levels), cmocka_unit_test(test_levels_that_say_nothing),
        cmocka_unit_test(test_counts),     cmocka_unit_test(test_amd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
