/* Virtqueues with a device that lies: every lie breaks the queue, no lie touches memory that is not the ring's, all
 * tokens come out of a broken queue, and the queue starts anew. The sanitizers watch; ring memory ends where the layout
 * says. */
#include "support/unit.h"

#include <errno.h>
#include <string.h>

#include "support/random.h"
#include "support/virtqueue_host.h"

#define REQUESTS 3

struct hostile {
    struct queue_fixture fixture;
    uint8_t bytes[REQUESTS][2][8];
    bool is_in_flight[REQUESTS];
    struct model_chain chains[REQUESTS];
};

static struct hostile hostile;

/* Three requests of eight bytes to read and eight to write each, all of them taken by the device. */
static void start(const struct virtqueue_config *config)
{
    queue_set_up(&hostile.fixture, config);
    memset(hostile.is_in_flight, 0, sizeof(hostile.is_in_flight));
    for (unsigned i = 0; i < REQUESTS; i++) {
        struct virtqueue_segment segments[2] = {{paddr((uintptr_t)hostile.bytes[i][0]), 8},
                                                {paddr((uintptr_t)hostile.bytes[i][1]), 8}};

        assert_int_equal(virtqueue_add(&hostile.fixture.queue, segments, 1, 1, &hostile.is_in_flight[i]), 0);
        hostile.is_in_flight[i] = true;
        assert_true(model_take(&hostile.fixture.device, &hostile.chains[i]));
    }
}

static int reap(void)
{
    bool *token = NULL;
    uint32_t length_bytes;
    int result = virtqueue_reap(&hostile.fixture.queue, (void **)&token, &length_bytes);

    if (result == 1) {
        assert_true(*token);
        *token = false;
        assert_true(length_bytes <= 8);
    }
    return result;
}

/* Everything says -EIO, every token is still to be had, and after a reset the queue works. */
static void expect_broken(enum virtqueue_fault fault, unsigned nr_left)
{
    struct virtqueue *queue = &hostile.fixture.queue;
    struct virtqueue_segment segment = {paddr((uintptr_t)hostile.bytes), 1};
    unsigned nr_detached = 0;
    bool *token;

    assert_int_equal(reap(), -EIO);
    assert_int_equal(queue->fault, fault);
    assert_int_equal(reap(), -EIO);
    assert_int_equal(virtqueue_add(queue, &segment, 1, 0, &segment), -EIO);
    assert_false(virtqueue_must_notify(queue));
    virtqueue_disable_interrupts(queue);
    assert_false(virtqueue_enable_interrupts(queue));
    virtqueue_stop(queue);
    assert_int_equal(queue->fault, fault);
    while ((token = virtqueue_detach(queue)) != NULL) {
        assert_true(*token);
        *token = false;
        nr_detached++;
    }
    assert_int_equal(nr_detached, nr_left);
    for (unsigned i = 0; i < REQUESTS; i++)
        assert_false(hostile.is_in_flight[i]);

    queue_start_anew(&hostile.fixture);
    assert_int_equal(virtqueue_add(queue, &segment, 1, 0, &segment), 0);
    assert_true(model_take(&hostile.fixture.device, &hostile.chains[0]));
    model_return(&hostile.fixture.device, &hostile.chains[0], 0);
    assert_int_equal(virtqueue_reap(queue, (void **)&token, &(uint32_t){0}), 1);
    queue_tear_down(&hostile.fixture);
}

#define FOR_EACH(lie)                          \
    static void lie##_everywhere(void **state) \
    {                                          \
        (void)state;                           \
        queue_for_each_config(lie);            \
    }

/* Six descriptors must fit. */
static bool is_too_small(const struct virtqueue_config *config)
{
    return config->size < 8;
}

static void bad_ids(const struct virtqueue_config *config)
{
    const uint32_t ids[] = {config->size, config->size + 1u, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0xffffffff};

    if (is_too_small(config))
        return;
    for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        /* A packed ring's id has 16 bits. */
        if (config->format == VIRTQUEUE_PACKED && ids[i] > 0xffff)
            continue;
        start(config);
        model_write_used(&hostile.fixture.device, ids[i], 0);
        expect_broken(VIRTQUEUE_BAD_ID, 3);
    }
}

static void id_twice(const struct virtqueue_config *config)
{
    if (is_too_small(config))
        return;
    start(config);
    model_return(&hostile.fixture.device, &hostile.chains[1], 8);
    assert_int_equal(reap(), 1);
    model_return(&hostile.fixture.device, &hostile.chains[1], 8);
    expect_broken(VIRTQUEUE_IDLE_ID, 2);
}

/* Every id that is none of the three heads: free ones, and in a split ring the tails of chains. */
static void id_not_in_flight(const struct virtqueue_config *config)
{
    if (is_too_small(config))
        return;
    for (uint32_t id = 0; id < config->size; id++) {
        start(config);
        if (id == hostile.chains[0].id || id == hostile.chains[1].id || id == hostile.chains[2].id) {
            queue_tear_down(&hostile.fixture);
            continue;
        }
        model_write_used(&hostile.fixture.device, id, 0);
        expect_broken(VIRTQUEUE_IDLE_ID, 3);
    }
}

static void returned_while_nothing_is_in_flight(const struct virtqueue_config *config)
{
    struct virtqueue *queue = &hostile.fixture.queue;

    queue_set_up(&hostile.fixture, config);
    assert_int_equal(reap(), 0);
    model_write_used(&hostile.fixture.device, 0, 0);
    assert_int_equal(reap(), -EIO);
    assert_int_equal(queue->fault, config->format == VIRTQUEUE_SPLIT ? VIRTQUEUE_BAD_INDEX : VIRTQUEUE_IDLE_ID);
    queue_tear_down(&hostile.fixture);
}

static void too_long(const struct virtqueue_config *config)
{
    const uint32_t lengths[] = {9, 16, 17, 0x80000000, 0xffffffff};

    if (is_too_small(config))
        return;
    for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        start(config);
        model_write_used(&hostile.fixture.device, hostile.chains[0].id, lengths[i]);
        expect_broken(VIRTQUEUE_BAD_LENGTH, 3);
    }
}

static void index_jumps(const struct virtqueue_config *config)
{
    const int distances[] = {4, 5, 100, 0x4000, 0x7fff, 0x8000, 0xffff, -1, -2};

    if (is_too_small(config) || config->format == VIRTQUEUE_PACKED)
        return;
    for (unsigned i = 0; i < sizeof(distances) / sizeof(distances[0]); i++) {
        start(config);
        model_jump(&hostile.fixture.device, distances[i]);
        expect_broken(VIRTQUEUE_BAD_INDEX, 3);
    }
}

/* The table is the device's to ruin: our requests come back all the same, and later ones too. */
static void scribbled_table(const struct virtqueue_config *config)
{
    struct virtqueue *queue = &hostile.fixture.queue;
    struct virtqueue_segment segment = {paddr((uintptr_t)hostile.bytes), 1};

    if (is_too_small(config))
        return;
    for (unsigned round = 0; round < 20; round++) {
        start(config);
        model_scribble(&hostile.fixture.device, &hostile.fixture.random);
        for (unsigned i = 0; i < REQUESTS; i++) {
            model_return(&hostile.fixture.device, &hostile.chains[(i + round) % REQUESTS], 8);
            assert_int_equal(reap(), 1);
            model_scribble(&hostile.fixture.device, &hostile.fixture.random);
        }
        assert_int_equal(queue->nr_free, config->size);
        for (unsigned i = 0; i < config->size; i++) {
            assert_int_equal(virtqueue_add(queue, &segment, 1, 0, &segment), 0);
            assert_true(model_take(&hostile.fixture.device, &hostile.chains[0]));
            assert_int_equal(hostile.chains[0].nr, 1);
        }
        queue_tear_down(&hostile.fixture);
    }
}

/* A legacy device's length is cut to what was asked for. */
static void legacy_lengths(void **state)
{
    const struct virtqueue_config config = {.format = VIRTQUEUE_SPLIT, .size = 8, .is_legacy = true};
    void *token;
    uint32_t length_bytes;

    (void)state;
    start(&config);
    model_return(&hostile.fixture.device, &hostile.chains[0], 0xffffffff);
    assert_int_equal(virtqueue_reap(&hostile.fixture.queue, &token, &length_bytes), 1);
    assert_int_equal(length_bytes, 8);
    queue_tear_down(&hostile.fixture);
}

static void stopped(const struct virtqueue_config *config)
{
    if (is_too_small(config))
        return;
    start(config);
    model_return(&hostile.fixture.device, &hostile.chains[2], 8);
    virtqueue_stop(&hostile.fixture.queue);
    expect_broken(VIRTQUEUE_STOPPED, 3);
}

/* Rubbish everywhere in what the device may write: whatever comes of it, each token comes out exactly once. */
static void rubbish(const struct virtqueue_config *config)
{
    struct virtqueue_layout layout;
    uint64_t random = config->size + 1u;

    if (is_too_small(config))
        return;
    assert_int_equal(virtqueue_plan(config, &layout), 0);
    for (unsigned round = 0; round < 300; round++) {
        uint8_t *ring;
        bool *token;
        unsigned nr_asked = 0;
        int result;

        start(config);
        ring = hostile.fixture.memory.ring;
        for (unsigned i = 0; i < 40; i++)
            ring[random_below(&random, layout.ring_bytes)] = (uint8_t)random_next(&random);
        while ((result = reap()) == 1)
            nr_asked += virtqueue_enable_interrupts(&hostile.fixture.queue);
        nr_asked += virtqueue_must_notify(&hostile.fixture.queue);
        assert_true(nr_asked <= REQUESTS + 1);
        virtqueue_stop(&hostile.fixture.queue);
        while ((token = virtqueue_detach(&hostile.fixture.queue)) != NULL) {
            assert_true(*token);
            *token = false;
        }
        for (unsigned i = 0; i < REQUESTS; i++)
            assert_false(hostile.is_in_flight[i]);
        queue_tear_down(&hostile.fixture);
    }
}

static void every_fault_has_words(void **state)
{
    (void)state;
    for (unsigned fault = 0; fault < VIRTQUEUE_NR_FAULTS; fault++)
        assert_true(strlen(virtqueue_fault_name((enum virtqueue_fault)fault)) > 0);
    assert_string_equal(virtqueue_fault_name((enum virtqueue_fault)99), "unknown");
}

FOR_EACH(bad_ids)
FOR_EACH(id_twice)
FOR_EACH(id_not_in_flight)
FOR_EACH(returned_while_nothing_is_in_flight)
FOR_EACH(too_long)
FOR_EACH(index_jumps)
FOR_EACH(scribbled_table)
FOR_EACH(stopped)
FOR_EACH(rubbish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_ids_everywhere),          cmocka_unit_test(id_twice_everywhere),
        cmocka_unit_test(id_not_in_flight_everywhere), cmocka_unit_test(returned_while_nothing_is_in_flight_everywhere),
        cmocka_unit_test(too_long_everywhere),         cmocka_unit_test(index_jumps_everywhere),
        cmocka_unit_test(scribbled_table_everywhere),  cmocka_unit_test(legacy_lengths),
        cmocka_unit_test(stopped_everywhere),          cmocka_unit_test(rubbish_everywhere),
        cmocka_unit_test(every_fault_has_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
