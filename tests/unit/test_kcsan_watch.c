/* Watchpoints: which accesses meet which, that each is met once, and that with threads nobody gets another's story. */
#include "support/unit.h"

#include <pthread.h>
#include <string.h>

#include <debug/kcsan_watch.h>

#define BASE 0xffff800000123000u

static struct kcsan_table table;

static struct kcsan_access access_at(uint64_t offset, uint64_t size, unsigned kind)
{
    return (struct kcsan_access){BASE + offset, size, kind};
}

static struct kcsan_watch *set(uint64_t offset, uint64_t size, unsigned kind)
{
    struct kcsan_access access = access_at(offset, size, kind);

    return kcsan_watch_set(&table, &access);
}

static struct kcsan_watch *meet(uint64_t offset, uint64_t size, unsigned kind)
{
    struct kcsan_access access = access_at(offset, size, kind);

    return kcsan_watch_meet(&table, &access);
}

static int start_empty(void **state)
{
    memset(&table, 0, sizeof(table));
    return 0;
}

static int is_empty_again(void **state)
{
    assert_int_equal(table.nr_active, 0);
    for (unsigned i = 0; i < KCSAN_SLOTS; i++)
        assert_int_equal(table.slots[i].key, 0);
    return 0;
}

/* Whether an access meets a watchpoint. */
static bool do_meet(uint64_t watched, uint64_t watched_size, unsigned watched_kind, uint64_t at, uint64_t size,
                    unsigned kind)
{
    struct kcsan_watch *watch = set(watched, watched_size, watched_kind), *met;

    assert_non_null(watch);
    met = meet(at, size, kind);
    if (!met) {
        assert_false(kcsan_watch_end(&table, watch));
        return false;
    }
    assert_ptr_equal(met, watch);
    kcsan_watch_tell(met);
    assert_true(kcsan_watch_end(&table, watch));
    kcsan_watch_release(&table, watch);
    return true;
}

static void one_side_has_to_write(void **state)
{
    assert_false(do_meet(8, 8, KCSAN_READ, 8, 8, KCSAN_READ));
    assert_false(do_meet(8, 8, KCSAN_READ, 8, 8, KCSAN_READ | KCSAN_MARKED));
    assert_true(do_meet(8, 8, KCSAN_READ, 8, 8, KCSAN_WRITE));
    assert_true(do_meet(8, 8, KCSAN_READ, 8, 8, KCSAN_WRITE | KCSAN_MARKED));
    assert_true(do_meet(8, 8, KCSAN_WRITE, 8, 8, KCSAN_READ));
    assert_true(do_meet(8, 8, KCSAN_WRITE, 8, 8, KCSAN_READ | KCSAN_MARKED));
    assert_true(do_meet(8, 8, KCSAN_WRITE, 8, 8, KCSAN_WRITE));
}

/* Every pair of places and sizes, against the plain definition. */
static void bytes_have_to_be_common(void **state)
{
    static const uint64_t sizes[] = {1, 2, 4, 8, 16, 40};

    for (uint64_t watched_size = 1; watched_size <= KCSAN_WATCH_MAX; watched_size *= 2)
        for (unsigned s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
            for (uint64_t at = 0; at < 128; at++) {
                bool have_common = at < 64 + watched_size && 64 < at + sizes[s];

                assert_int_equal(do_meet(64, watched_size, KCSAN_WRITE, at, sizes[s], KCSAN_READ), have_common);
            }
}

static void pages_are_crossed_by_those_who_meet(void **state)
{
    assert_true(do_meet(0, 4, KCSAN_WRITE, (uint64_t)-2, 4, KCSAN_READ));
    assert_true(do_meet(0, 4, KCSAN_WRITE, (uint64_t)-9000, 9004, KCSAN_READ));
    assert_true(do_meet(4094, 8, KCSAN_WRITE, 4094, 2, KCSAN_READ)); /* what is watched ends with its page */
    assert_false(do_meet(4094, 8, KCSAN_WRITE, 4096, 2, KCSAN_READ));
    assert_false(do_meet(0, 8, KCSAN_WRITE, 64 * 4096, 8, KCSAN_WRITE)); /* a page of the same slots */
}

static void long_accesses_are_watched_where_they_begin(void **state)
{
    assert_true(do_meet(0, 40, KCSAN_WRITE, KCSAN_WATCH_MAX - 1, 1, KCSAN_READ));
    assert_false(do_meet(0, 40, KCSAN_WRITE, KCSAN_WATCH_MAX, 1, KCSAN_READ));
}

static void it_is_met_once(void **state)
{
    struct kcsan_watch *watch = set(0, 8, KCSAN_WRITE);

    assert_non_null(watch);
    assert_ptr_equal(meet(0, 8, KCSAN_READ), watch);
    assert_null(meet(0, 8, KCSAN_READ));
    kcsan_watch_tell(watch);
    assert_true(kcsan_watch_end(&table, watch));
    assert_null(meet(0, 8, KCSAN_READ));
    kcsan_watch_release(&table, watch);
}

static void a_full_page_is_no_error(void **state)
{
    struct kcsan_watch *first = set(0, 8, KCSAN_READ), *second = set(64, 8, KCSAN_READ);

    assert_non_null(first);
    assert_non_null(second);
    assert_ptr_not_equal(first, second);
    assert_null(set(128, 8, KCSAN_READ));
    assert_ptr_equal(meet(64, 1, KCSAN_WRITE), second);
    kcsan_watch_tell(second);
    assert_false(kcsan_watch_end(&table, first));
    assert_true(kcsan_watch_end(&table, second));
    kcsan_watch_release(&table, second);
}

static void the_same_bytes_are_watched_once(void **state)
{
    struct kcsan_watch *watch = set(0, 8, KCSAN_READ);

    assert_null(set(4, 4, KCSAN_READ));
    assert_false(kcsan_watch_end(&table, watch));
}

#define THREADS 4
#define ROUNDS  20000
#define TRIES   50

static uint64_t nr_met, nr_found;
static pthread_barrier_t all_are_here;

/* Sets watchpoints on a page of four words, meets those of others, and believes what it is told only if it fits. */
static void *be_a_cpu(void *number)
{
    uint64_t me = *(uint64_t *)number;

    pthread_barrier_wait(&all_are_here);
    for (uint64_t i = 0; i < ROUNDS; i++) {
        struct kcsan_watch *mine = set((me + i) % 4 * 8, 8, KCSAN_WRITE);
        struct kcsan_watch *met = NULL;

        for (unsigned tries = 0; !met && tries < TRIES; tries++)
            met = meet((me + i + 1) % 4 * 8, 8, KCSAN_WRITE);
        if (met) {
            assert_true(met != mine);
            met->other.cpu = (uint32_t)me;
            met->other.access = access_at((me + i + 1) % 4 * 8, 8, KCSAN_WRITE);
            __atomic_add_fetch(&nr_met, 1, __ATOMIC_RELAXED);
            kcsan_watch_tell(met);
        }
        if (mine && kcsan_watch_end(&table, mine)) {
            assert_true(mine->other.cpu != me && mine->other.cpu < THREADS);
            assert_int_equal(mine->other.access.address, BASE + (me + i) % 4 * 8);
            __atomic_add_fetch(&nr_found, 1, __ATOMIC_RELAXED);
            kcsan_watch_release(&table, mine);
        }
    }
    return NULL;
}

static void each_meeting_is_told_to_the_one_it_concerns(void **state)
{
    pthread_t threads[THREADS];
    uint64_t numbers[THREADS];

    pthread_barrier_init(&all_are_here, NULL, THREADS);
    for (uint64_t i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, be_a_cpu, &numbers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&all_are_here);
    assert_int_equal(nr_met, nr_found);
    assert_true(nr_met > 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start_empty, is_empty_again)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(one_side_has_to_write),
        CASE(bytes_have_to_be_common),
        CASE(pages_are_crossed_by_those_who_meet),
        CASE(long_accesses_are_watched_where_they_begin),
        CASE(it_is_met_once),
        CASE(a_full_page_is_no_error),
        CASE(the_same_bytes_are_watched_once),
        CASE(each_meeting_is_told_to_the_one_it_concerns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
