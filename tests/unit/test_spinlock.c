/* The spinlock: what it records, what it refuses, and who gets it when threads stand for CPUs that contend. */
#include "support/unit.h"

#include <pthread.h>
#include <sched.h>

#include <cpu/percpu.h>
#include <sync/spinlock.h>

#define THREADS 4
#define TURNS   5000

static void test_held_locks_are_a_list_last_taken_first(void **state)
{
    struct spinlock a = SPINLOCK_INITIALIZER("a"), b = SPINLOCK_INITIALIZER("b");

    (void)state;
    spinlock_lock(&a);
    assert_true(spinlock_is_held(&a));
    assert_false(spinlock_is_held(&b));
    assert_true(spinlock_try_lock(&b));
    assert_ptr_equal(percpu.held_locks, &b);
    assert_ptr_equal(b.held_below, &a);
    assert_non_null(b.acquired_at);
    spinlock_unlock(&b);
    spinlock_unlock(&a);
    assert_null(percpu.held_locks);
    assert_int_equal(a.users, 0);
    assert_int_equal(b.users, 0);
}

static void test_locks_come_back_in_any_order(void **state)
{
    struct spinlock locks[3] = {SPINLOCK_INITIALIZER("0"), SPINLOCK_INITIALIZER("1"), SPINLOCK_INITIALIZER("2")};

    (void)state;
    for (unsigned first = 0; first < 3; first++)
        for (unsigned second = 0; second < 3; second++) {
            if (second == first)
                continue;
            for (unsigned i = 0; i < 3; i++)
                spinlock_lock(&locks[i]);
            spinlock_unlock(&locks[first]);
            assert_false(spinlock_is_held(&locks[first]));
            spinlock_unlock(&locks[second]);
            spinlock_unlock(&locks[3 - first - second]);
            assert_null(percpu.held_locks);
        }
}

static void test_taking_it_twice_ends_in_words(void **state)
{
    static struct spinlock lock = SPINLOCK_INITIALIZER("mine");

    (void)state;
    spinlock_lock(&lock);
    assert_true(UNIT_ENDS_KERNEL(spinlock_lock(&lock)));
    assert_string_equal(unit_last_words, "lock 'mine' taken twice");
    percpu.held_locks = NULL;
}

static void test_giving_back_what_is_not_held_ends_in_words(void **state)
{
    static struct spinlock lock = SPINLOCK_INITIALIZER("theirs");

    (void)state;
    assert_true(UNIT_ENDS_KERNEL(spinlock_unlock(&lock)));
    assert_string_equal(unit_last_words, "lock 'theirs' given back but not held");
}

static void test_try_lock_does_not_wait(void **state)
{
    struct spinlock lock = SPINLOCK_INITIALIZER("busy");

    (void)state;
    lock.users = UINT32_MAX; /* another CPU has it */
    assert_false(spinlock_try_lock(&lock));
    assert_int_equal(lock.users, UINT32_MAX);
    assert_null(percpu.held_locks);
}

/* Only the waiting half is run on threads: the list of held locks is one CPU's, and the host has one struct percpu. */
static struct spinlock contended = SPINLOCK_INITIALIZER("contended");
static unsigned counter, inside;

static void *take_turns(void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < TURNS; i++) {
        if (__atomic_fetch_sub(&contended.users, 1, __ATOMIC_ACQUIRE) != 0)
            spinlock_wait_(&contended, NULL);
        assert_int_equal(__atomic_fetch_add(&inside, 1, __ATOMIC_RELAXED), 0);
        counter++;
        __atomic_fetch_sub(&inside, 1, __ATOMIC_RELAXED);
        if (i % 64 == 0)
            sched_yield(); /* let others queue up */
        if (__atomic_add_fetch(&contended.users, 1, __ATOMIC_RELEASE) != 0)
            spinlock_grant_(&contended);
    }
    return NULL;
}

static void test_contenders_exclude_each_other_and_all_get_it(void **state)
{
    pthread_t threads[THREADS];

    (void)state;
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_turns, NULL), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(counter, THREADS * TURNS);
    assert_int_equal(contended.users, 0);
    assert_int_equal(contended.grants, contended.next_ticket);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_held_locks_are_a_list_last_taken_first),
        cmocka_unit_test(test_locks_come_back_in_any_order),
        cmocka_unit_test(test_taking_it_twice_ends_in_words),
        cmocka_unit_test(test_giving_back_what_is_not_held_ends_in_words),
        cmocka_unit_test(test_try_lock_does_not_wait),
        cmocka_unit_test(test_contenders_exclude_each_other_and_all_get_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
