/* Reference counts: the last one is told, and what is counted wrongly is said once and saturates. */
#include "support/unit.h"

#include <pthread.h>

#include <sync/refcount.h>

#define THREADS 4
#define TURNS   20000

static unsigned nr_reports;
static enum refcount_misuse last_misuse;

void refcount_report(const struct refcount *count, enum refcount_misuse misuse, const void *where)
{
    assert_non_null(where);
    assert_int_equal(count->value, REFCOUNT_SATURATED);
    nr_reports++;
    last_misuse = misuse;
}

static int set_up(void **state)
{
    (void)state;
    nr_reports = 0;
    return 0;
}

static void test_the_last_put_is_told(void **state)
{
    struct refcount count;

    (void)state;
    refcount_set(&count, 1);
    refcount_get(&count);
    assert_true(refcount_get_unless_zero(&count));
    assert_int_equal(refcount_read(&count), 3);
    assert_false(refcount_put(&count));
    assert_false(refcount_put(&count));
    assert_true(refcount_put(&count));
    assert_false(refcount_get_unless_zero(&count));
    assert_int_equal(refcount_read(&count), 0);
    assert_int_equal(nr_reports, 0);
}

static void expect_saturated(struct refcount *count, enum refcount_misuse misuse)
{
    assert_int_equal(nr_reports, 1);
    assert_int_equal(last_misuse, misuse);
    assert_int_equal(refcount_read(count), INT32_MAX);
    for (unsigned i = 0; i < 100; i++) {
        assert_false(refcount_put(count));
        refcount_get(count);
        assert_true(refcount_get_unless_zero(count));
        assert_false(refcount_put(count));
        assert_false(refcount_put(count));
    }
    assert_int_equal(refcount_read(count), INT32_MAX);
    assert_int_equal(nr_reports, 1);
}

static void test_raised_from_zero(void **state)
{
    struct refcount count = REFCOUNT_INITIALIZER(0);

    (void)state;
    refcount_get(&count);
    expect_saturated(&count, REFCOUNT_RAISED_FROM_ZERO);
}

static void test_lowered_below_zero(void **state)
{
    struct refcount count = REFCOUNT_INITIALIZER(0);

    (void)state;
    assert_false(refcount_put(&count));
    expect_saturated(&count, REFCOUNT_UNDERFLOW);
}

static void test_raised_past_the_largest(void **state)
{
    struct refcount count = REFCOUNT_INITIALIZER(INT32_MAX - 1);

    (void)state;
    refcount_get(&count);
    assert_int_equal(nr_reports, 0);
    refcount_get(&count);
    expect_saturated(&count, REFCOUNT_OVERFLOW);
}

static void test_found_at_the_largest(void **state)
{
    struct refcount count = REFCOUNT_INITIALIZER(INT32_MAX);

    (void)state;
    assert_true(refcount_get_unless_zero(&count));
    expect_saturated(&count, REFCOUNT_OVERFLOW);
}

static struct refcount shared;
static unsigned nr_last;

static void *get_and_put(void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < TURNS; i++) {
        refcount_get(&shared);
        if (refcount_put(&shared))
            __atomic_fetch_add(&nr_last, 1, __ATOMIC_RELAXED);
    }
    if (refcount_put(&shared))
        __atomic_fetch_add(&nr_last, 1, __ATOMIC_RELAXED);
    return NULL;
}

static void test_one_of_many_is_the_last(void **state)
{
    pthread_t threads[THREADS];

    (void)state;
    refcount_set(&shared, THREADS);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, get_and_put, NULL), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(nr_last, 1);
    assert_int_equal(nr_reports, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_the_last_put_is_told, set_up),
        cmocka_unit_test_setup(test_raised_from_zero, set_up),
        cmocka_unit_test_setup(test_lowered_below_zero, set_up),
        cmocka_unit_test_setup(test_raised_past_the_largest, set_up),
        cmocka_unit_test_setup(test_found_at_the_largest, set_up),
        cmocka_unit_test_setup(test_one_of_many_is_the_last, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
