/* The sequence lock: readers never keep what a writer wrote half. */
#include "support/unit.h"

#include <pthread.h>

#include <sync/seqlock.h>

#define READERS 3
#define WRITES  20000

static void test_a_write_in_between_is_noticed(void **state)
{
    struct seqlock lock = SEQLOCK_INITIALIZER("seen");
    uint32_t start;

    (void)state;
    start = seqlock_read_begin(&lock);
    assert_false(seqlock_read_retry(&lock, start));
    seqlock_write_lock(&lock);
    seqlock_write_unlock(&lock);
    assert_true(seqlock_read_retry(&lock, start));
}

static void test_who_interrupts_a_writer_is_told(void **state)
{
    struct seqlock lock = SEQLOCK_INITIALIZER("interrupted");
    uint64_t flags;
    uint32_t start;

    (void)state;
    flags = seqlock_write_lock_irqsave(&lock);
    assert_false(seqlock_read_try(&lock, &start));
    seqlock_write_unlock_irqrestore(&lock, flags);
    assert_true(seqlock_read_try(&lock, &start));
}

static struct seqlock lock;
static uint64_t first, second;
static bool is_over;

static void *read_pairs(void *argument)
{
    uint64_t *nr_read = argument;

    while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
        uint64_t one, other;
        uint32_t start;

        do {
            start = seqlock_read_begin(&lock);
            one = READ_ONCE(first);
            other = READ_ONCE(second);
        } while (seqlock_read_retry(&lock, start));
        assert_int_equal(one, other);
        ++*nr_read;
    }
    return NULL;
}

static void test_readers_see_whole_writes(void **state)
{
    pthread_t threads[READERS];
    uint64_t nr_read[READERS] = {0};

    (void)state;
    lock.count.sequence = UINT32_MAX - 1001; /* it wraps */
    for (unsigned i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_pairs, &nr_read[i]), 0);
    for (uint64_t n = 1; n <= WRITES || !__atomic_load_n(&nr_read[0], __ATOMIC_RELAXED); n++) {
        seqlock_write_lock(&lock);
        WRITE_ONCE(first, n);
        WRITE_ONCE(second, n);
        seqlock_write_unlock(&lock);
    }
    __atomic_store_n(&is_over, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_write_in_between_is_noticed),
        cmocka_unit_test(test_who_interrupts_a_writer_is_told),
        cmocka_unit_test(test_readers_see_whole_writes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
