/* The reader-writer lock: who may be inside with whom, in which order, when threads stand for CPUs. */
#include "support/unit.h"

#include <pthread.h>
#include <sched.h>

#include <cpu/percpu.h>
#include <cpu/preempt.h>
#include <sync/rwlock.h>

#define THREADS 4
#define TURNS   4000

static void test_readers_share_and_writers_do_not(void **state)
{
    struct rwlock lock = RWLOCK_INITIALIZER("shared");

    (void)state;
    rwlock_read_lock(&lock);
    assert_true(rwlock_try_read_lock(&lock)); /* at once: nobody waits in between */
    assert_false(rwlock_try_write_lock(&lock));
    rwlock_read_unlock(&lock);
    assert_false(rwlock_try_write_lock(&lock));
    rwlock_read_unlock(&lock);
    assert_true(rwlock_try_write_lock(&lock));
    assert_true(rwlock_is_written_here(&lock));
    assert_false(rwlock_try_read_lock(&lock));
    assert_false(rwlock_try_write_lock(&lock));
    rwlock_write_unlock(&lock);
    assert_false(rwlock_is_written_here(&lock));
    assert_true(rwlock_try_read_lock(&lock));
    rwlock_read_unlock(&lock);
    assert_int_equal(preempt_depth(), 0);
}

static void test_plain_and_irqsave_forms_mix(void **state)
{
    struct rwlock lock = RWLOCK_INITIALIZER("mixed");
    uint64_t flags;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        rwlock_write_lock(&lock);
        assert_int_equal(preempt_depth(), 1);
        rwlock_write_unlock(&lock);
        flags = rwlock_read_lock_irqsave(&lock);
        rwlock_read_unlock_irqrestore(&lock, flags);
        flags = rwlock_write_lock_irqsave(&lock);
        assert_true(rwlock_is_written_here(&lock));
        rwlock_write_unlock_irqrestore(&lock, flags);
        rwlock_read_lock(&lock);
        assert_int_equal(preempt_depth(), 1);
        rwlock_read_unlock(&lock);
        assert_int_equal(preempt_depth(), 0);
    }
    assert_int_equal(lock.next_number, 12);
    assert_int_equal(lock.reader_turn, 12);
    assert_int_equal(lock.writer_turn, 12);
}

static void test_a_writer_that_asks_again_ends_in_words(void **state)
{
    static struct rwlock lock = RWLOCK_INITIALIZER("mine");

    (void)state;
    rwlock_write_lock(&lock);
    assert_true(UNIT_ENDS_KERNEL(rwlock_write_lock(&lock)));
    assert_string_equal(unit_last_words, "lock 'mine' taken twice");
    assert_true(UNIT_ENDS_KERNEL(rwlock_read_lock(&lock)));
    rwlock_write_unlock(&lock);
    assert_true(UNIT_ENDS_KERNEL(rwlock_write_unlock(&lock)));
    assert_string_equal(unit_last_words, "lock 'mine' given back but not held");
    percpu.preempt_count = PREEMPT_NO_RESCHEDULE;
}

/* A reader behind a waiting writer does not pass it. */
static void test_a_reader_waits_behind_a_writer(void **state)
{
    struct rwlock lock = RWLOCK_INITIALIZER("fair");

    (void)state;
    rwlock_read_lock(&lock);
    lock.next_number++; /* a writer on another CPU drew a number and waits */
    assert_false(rwlock_try_read_lock(&lock));
    rwlock_read_unlock(&lock);
    assert_int_equal(lock.writer_turn, 1); /* it is that one's turn */
}

static struct rwlock contended;
static unsigned written, nr_writers, nr_readers;

static void *take_turns(void *argument)
{
    unsigned number = (unsigned)(uintptr_t)argument;

    percpu.preempt_count = PREEMPT_NO_RESCHEDULE; /* each thread is a CPU of its own */
    percpu.cpu_number = number;
    for (unsigned i = 0; i < TURNS; i++) {
        if ((i + number) % 4 == 0) {
            rwlock_write_lock(&contended);
            assert_int_equal(__atomic_fetch_add(&nr_writers, 1, __ATOMIC_RELAXED), 0);
            assert_int_equal(__atomic_load_n(&nr_readers, __ATOMIC_RELAXED), 0);
            written++;
            __atomic_fetch_sub(&nr_writers, 1, __ATOMIC_RELAXED);
            rwlock_write_unlock(&contended);
        } else {
            rwlock_read_lock(&contended);
            __atomic_fetch_add(&nr_readers, 1, __ATOMIC_RELAXED);
            assert_int_equal(__atomic_load_n(&nr_writers, __ATOMIC_RELAXED), 0);
            if (i % 64 == 0)
                sched_yield(); /* let others queue up */
            __atomic_fetch_sub(&nr_readers, 1, __ATOMIC_RELAXED);
            rwlock_read_unlock(&contended);
        }
    }
    return NULL;
}

static void test_contenders_exclude_each_other_and_all_get_it(void **state)
{
    pthread_t threads[THREADS];

    (void)state;
    rwlock_init(&contended, "contended");
    contended.next_number = contended.reader_turn = contended.writer_turn = UINT32_MAX - TURNS; /* they wrap */
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_turns, (void *)(uintptr_t)i), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(written, TURNS / 4 * THREADS);
    assert_int_equal(contended.next_number, contended.writer_turn);
    assert_int_equal(contended.next_number, contended.reader_turn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readers_share_and_writers_do_not),
        cmocka_unit_test(test_plain_and_irqsave_forms_mix),
        cmocka_unit_test(test_a_writer_that_asks_again_ends_in_words),
        cmocka_unit_test(test_a_reader_waits_behind_a_writer),
        cmocka_unit_test(test_contenders_exclude_each_other_and_all_get_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
