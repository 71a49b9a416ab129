/* The log ring: many writers and readers at once on a small ring, writers interrupted by writers, and an owner that
 * never finishes. */
#include "support/unit.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <debug/log_ring.h>

#define SIZE      16
#define WRITERS   4
#define PER_WRITE 20000

static struct log_slot slots[SIZE];
static struct log_ring ring;

static int setup(void **state)
{
    memset(slots, 0, sizeof(slots));
    ring = (struct log_ring){.slots = slots, .size = SIZE};
    return 0;
}

/* A text that shows in every byte which record it is: a mixture of two is noticed. */
static void fill(struct log_record *record, unsigned id)
{
    record->length_bytes = (uint16_t)(id % (LOG_TEXT_MAX - 1));
    record->time_ns = id;
    record->level = (enum log_level)(id % 4);
    record->cpu = (uint16_t)id;
    for (unsigned i = 0; i < record->length_bytes; i++)
        record->text[i] = (char)('0' + (id + i) % 64);
    record->text[record->length_bytes] = '\0';
}

static bool is_whole(const struct log_record *record)
{
    unsigned id = (unsigned)record->time_ns;
    struct log_record wanted;

    fill(&wanted, id);
    return record->length_bytes == wanted.length_bytes && record->level == wanted.level && record->cpu == wanted.cpu &&
           memcmp(record->text, wanted.text, wanted.length_bytes + 1u) == 0;
}

static void write_id(unsigned id)
{
    struct log_record record;

    fill(&record, id);
    log_ring_write(&ring, &record);
}

static void in_order(void **state)
{
    struct log_record record;
    uint64_t oldest = 99;

    assert_int_equal(log_ring_read(&ring, 0, &record, &oldest), -EAGAIN);
    assert_false(log_ring_is_complete(&ring, 0));
    for (unsigned id = 0; id < 40; id++) {
        write_id(id);
        assert_true(log_ring_is_complete(&ring, id));
        assert_int_equal(log_ring_read(&ring, id, &record, &oldest), 0);
        assert_int_equal(record.sequence, id);
        assert_int_equal(record.time_ns, id);
        assert_true(is_whole(&record));
        assert_int_equal(log_ring_read(&ring, id + 1, &record, &oldest), -EAGAIN);
    }
    assert_int_equal(oldest, 99);
    assert_int_equal(log_ring_read(&ring, 23, &record, &oldest), -ENOENT);
    assert_int_equal(oldest, 24);
    assert_int_equal(log_ring_read(&ring, 24, &record, &oldest), 0);
    assert_int_equal(ring.dropped, 0);
}

/* A writer that stopped between taking its number and completing it blocks its own slot, and no other. */
static void stalled_writer(void **state)
{
    struct log_record record;
    uint64_t oldest;

    write_id(0);
    ring.next = 2; /* the writer of 1 */
    slots[1].state = 3;
    for (unsigned id = 2; id < SIZE + 1; id++)
        write_id(id);
    assert_int_equal(ring.dropped, 0);
    assert_int_equal(log_ring_read(&ring, 1, &record, &oldest), -EAGAIN);
    write_id(SIZE + 1);
    write_id(SIZE + 2);
    assert_int_equal(ring.dropped, 2);
    assert_int_equal(ring.next, SIZE + 1);
    assert_int_equal(log_ring_read(&ring, SIZE, &record, &oldest), 0);

    slots[1].state = 4; /* it completes after all */
    write_id(SIZE + 3);
    assert_int_equal(ring.dropped, 2);
    assert_int_equal(log_ring_read(&ring, SIZE + 1, &record, &oldest), 0);
    assert_int_equal(record.time_ns, SIZE + 3);
}

static void forced(void **state)
{
    struct log_record record;
    uint64_t oldest;

    ring.next = 1; /* the writer of 0 never completes */
    log_ring_force(&ring);
    for (unsigned id = 1; id < 3 * SIZE; id++)
        write_id(id);
    assert_int_equal(ring.dropped, 0);
    assert_int_equal(ring.next, 3 * SIZE);
    for (unsigned id = 2 * SIZE; id < 3 * SIZE; id++) {
        assert_int_equal(log_ring_read(&ring, id, &record, &oldest), 0);
        assert_int_equal(record.time_ns, id);
    }
}

/* Threads that write and are interrupted to write, and readers that follow. */

static uint64_t nr_interrupted;
static unsigned nr_torn_under_interrupt;
static int is_over;

/* What the interrupted writer is in the middle of must not be readable yet. */
static void read_newest(void)
{
    uint64_t next = __atomic_load_n(&ring.next, __ATOMIC_ACQUIRE), oldest;
    struct log_record record;

    for (uint64_t sequence = next < SIZE / 2 ? 0 : next - SIZE / 2; sequence < next; sequence++) {
        if (log_ring_read(&ring, sequence, &record, &oldest) == 0 &&
            (!is_whole(&record) || record.sequence != sequence))
            __atomic_fetch_add(&nr_torn_under_interrupt, 1, __ATOMIC_RELAXED);
    }
}

static void on_signal(int number)
{
    int saved = errno;

    (void)number;
    read_newest();
    write_id((unsigned)__atomic_fetch_add(&nr_interrupted, 1, __ATOMIC_RELAXED) + 1000000);
    errno = saved;
}

static void *writer(void *argument)
{
    unsigned first = (unsigned)(uintptr_t)argument * PER_WRITE;

    for (unsigned i = 0; i < PER_WRITE; i++)
        write_id(first + i);
    return NULL;
}

struct reading {
    uint64_t read, lost, torn, backwards;
};

static void *reader(void *argument)
{
    struct reading *reading = argument;
    struct log_record record;
    uint64_t position = 0, oldest;

    for (;;) {
        bool was_over = __atomic_load_n(&is_over, __ATOMIC_ACQUIRE);
        int error = log_ring_read(&ring, position, &record, &oldest);

        if (error == -ENOENT) {
            reading->backwards += oldest <= position;
            reading->lost += oldest - position;
            position = oldest;
        } else if (error == 0) {
            reading->torn += !is_whole(&record) || record.sequence != position;
            reading->read++;
            position++;
        } else if (was_over) {
            return NULL;
        }
    }
}

static void many_at_once(void **state)
{
    pthread_t writers[WRITERS], readers[2];
    struct reading readings[2] = {{0}};
    struct timespec pause = {0, 5000};
    uint64_t written;

    signal(SIGUSR1, on_signal);
    nr_interrupted = 0;
    is_over = 0;
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, reader, &readings[i]), 0);
    for (unsigned i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&writers[i], NULL, writer, (void *)(uintptr_t)i), 0);
    for (unsigned i = 0; i < 4000; i++) {
        pthread_kill(writers[i % WRITERS], SIGUSR1);
        nanosleep(&pause, NULL);
    }
    for (unsigned i = 0; i < WRITERS; i++)
        pthread_join(writers[i], NULL);
    __atomic_store_n(&is_over, 1, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(readers[i], NULL);
    written = WRITERS * PER_WRITE + nr_interrupted;
    assert_true(nr_interrupted > 0);
    assert_int_equal(nr_torn_under_interrupt, 0);
    assert_int_equal(ring.next + ring.dropped, written);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(readings[i].torn, 0);
        assert_int_equal(readings[i].backwards, 0);
        assert_int_equal(readings[i].read + readings[i].lost + ring.dropped, written);
        assert_true(readings[i].read > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(in_order, setup),
        cmocka_unit_test_setup(stalled_writer, setup),
        cmocka_unit_test_setup(forced, setup),
        cmocka_unit_test_setup(many_at_once, setup),
    };

    return cmocka_run_group_tests_name("debug/log_ring", tests, NULL, NULL);
}
