/* Threads stand for CPUs whose counters are one clock, each with a distance of its own. */
#include "support/unit.h"

#include <pthread.h>

#include <cpu/registers.h>
#include <time/tsc_compare.h>

#define CPUS   3
#define ROUNDS 20000

static uint64_t true_count;
static uint64_t distances[CPUS];
static __thread uint64_t own_distance;
static struct tsc_comparison comparison;

uint64_t rdtsc(void)
{
    return __atomic_add_fetch(&true_count, 1, __ATOMIC_SEQ_CST) + own_distance;
}

static void *be_a_cpu(void *distance)
{
    own_distance = *(uint64_t *)distance;
    tsc_compare(&comparison, CPUS, ROUNDS, UINT64_MAX);
    return NULL;
}

static uint64_t behind(uint64_t first, uint64_t second, uint64_t third)
{
    pthread_t threads[CPUS];

    distances[0] = first;
    distances[1] = second;
    distances[2] = third;
    comparison = (struct tsc_comparison)TSC_COMPARISON_INITIALIZER;
    for (unsigned i = 0; i < CPUS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, be_a_cpu, &distances[i]), 0);
    for (unsigned i = 0; i < CPUS; i++)
        pthread_join(threads[i], NULL);
    return comparison.behind_ticks;
}

static void counters_that_agree_are_never_behind(void **state)
{
    assert_int_equal(behind(0, 0, 0), 0);
    assert_int_equal(behind(1000, 1000, 1000), 0);
}

/* At most by the distance, and by nearly that much where two CPUs look right after each other. */
static void one_that_is_behind_is_found(void **state)
{
    assert_in_range(behind(1000000, 1000000, 0), 900000, 1000000);
    assert_in_range(behind(0, 1000000, 0), 900000, 1000000);
}

/* Nobody else comes: it ends all the same, and finds nothing. */
static void who_is_alone_does_not_wait_for_ever(void **state)
{
    comparison = (struct tsc_comparison)TSC_COMPARISON_INITIALIZER;
    tsc_compare(&comparison, CPUS, 1, 1000);
    assert_int_equal(comparison.behind_ticks, 0);
    assert_int_equal(comparison.nr_finished, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_that_agree_are_never_behind),
        cmocka_unit_test(one_that_is_behind_is_found),
        cmocka_unit_test(who_is_alone_does_not_wait_for_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
