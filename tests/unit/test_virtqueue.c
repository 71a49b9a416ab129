/* Virtqueues with a device that keeps the rules: layout, every chain back exactly once with its own data and length, a
 * full ring, no notification and no interrupt lost in any schedule. */
#include "support/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hw/virtio_ring.h>

#include "support/random.h"
#include "support/virtqueue_host.h"

#define SEGMENTS_MAX 6
#define SEGMENT_MAX  16

struct request {
    unsigned nr_readable, nr_writable;
    struct virtqueue_segment segments[SEGMENTS_MAX];
    uint8_t data[SEGMENTS_MAX][SEGMENT_MAX];
    bool is_in_flight;
};

/* What the device answers: all it read, folded. */
static uint8_t fold(uint8_t sum, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        sum = (uint8_t)(sum * 31 + bytes[i] + 1);
    return sum;
}

struct traffic {
    struct queue_fixture fixture;
    struct request *requests;
    unsigned nr_requests, nr_in_flight;
    struct model_chain *held;
    unsigned nr_held;
    uint64_t nr_completed;
};

static void traffic_start(struct traffic *traffic, const struct virtqueue_config *config)
{
    memset(traffic, 0, sizeof(*traffic));
    queue_set_up(&traffic->fixture, config);
    traffic->nr_requests = config->size + 2u;
    traffic->requests = calloc(traffic->nr_requests, sizeof(*traffic->requests));
    traffic->held = calloc(config->size + 1u, sizeof(*traffic->held));
}

static void traffic_end(struct traffic *traffic)
{
    free(traffic->requests);
    free(traffic->held);
    queue_tear_down(&traffic->fixture);
}

static uint64_t pick(struct traffic *traffic, uint64_t limit)
{
    return random_below(&traffic->fixture.random, limit);
}

static void fill(struct traffic *traffic, struct request *request)
{
    unsigned most =
        traffic->fixture.queue.config.size < SEGMENTS_MAX ? traffic->fixture.queue.config.size : SEGMENTS_MAX;
    unsigned nr = 1 + (unsigned)pick(traffic, most);

    request->nr_readable = (unsigned)pick(traffic, nr + 1);
    request->nr_writable = nr - request->nr_readable;
    for (unsigned i = 0; i < nr; i++) {
        request->segments[i].base = paddr((uint64_t)(uintptr_t)request->data[i]);
        request->segments[i].length_bytes = 1 + (uint32_t)pick(traffic, SEGMENT_MAX);
        memset(request->data[i], (int)pick(traffic, 256), SEGMENT_MAX);
    }
}

/* Returns false when the ring was full. */
static bool submit(struct traffic *traffic)
{
    struct request *request = &traffic->requests[pick(traffic, traffic->nr_requests)];
    struct virtqueue *queue = &traffic->fixture.queue;
    struct virtqueue before;
    int result;

    if (request->is_in_flight)
        return false;
    fill(traffic, request);
    before = *queue;
    result = virtqueue_add(queue, request->segments, request->nr_readable, request->nr_writable, request);
    if (result == -EAGAIN) {
        assert_memory_equal(&before, queue, sizeof(before));
        assert_true(request->nr_readable + request->nr_writable > queue->nr_free);
        return false;
    }
    assert_int_equal(result, 0);
    request->is_in_flight = true;
    traffic->nr_in_flight++;
    return true;
}

static bool device_take(struct traffic *traffic)
{
    if (!model_take(&traffic->fixture.device, &traffic->held[traffic->nr_held]))
        return false;
    traffic->nr_held++;
    return true;
}

/* Answers any of the held chains: not in the order they came. */
static bool device_answer(struct traffic *traffic)
{
    unsigned which;
    struct model_chain *chain;
    uint8_t sum = 0;
    uint32_t written = 0, limit;

    if (traffic->nr_held == 0)
        return false;
    which = (unsigned)pick(traffic, traffic->nr_held);
    chain = &traffic->held[which];
    for (unsigned i = 0; i < chain->nr_readable; i++)
        sum = fold(sum, chain->segments[i].base, chain->segments[i].length_bytes);
    limit = (uint32_t)pick(traffic, model_writable_bytes(chain) + 1u);
    for (unsigned i = chain->nr_readable; i < chain->nr; i++)
        for (unsigned at = 0; at < chain->segments[i].length_bytes && written < limit; at++, written++)
            chain->segments[i].base[at] = (uint8_t)(sum + written);
    model_return(&traffic->fixture.device, chain, written);
    *chain = traffic->held[--traffic->nr_held];
    return true;
}

static void check_answer(const struct request *request, uint32_t length_bytes)
{
    uint8_t sum = 0;
    uint32_t seen = 0;

    for (unsigned i = 0; i < request->nr_readable; i++)
        sum = fold(sum, request->data[i], request->segments[i].length_bytes);
    for (unsigned i = request->nr_readable; i < request->nr_readable + request->nr_writable; i++)
        for (unsigned at = 0; at < request->segments[i].length_bytes && seen < length_bytes; at++, seen++)
            assert_int_equal(request->data[i][at], (uint8_t)(sum + seen));
    assert_int_equal(seen, length_bytes);
}

static bool reap(struct traffic *traffic)
{
    struct request *request;
    void *token = NULL;
    uint32_t length_bytes = 0;
    int result = virtqueue_reap(&traffic->fixture.queue, &token, &length_bytes);

    assert_true(result == 0 || result == 1);
    if (result == 0)
        return false;
    request = token;
    assert_true(request->is_in_flight);
    check_answer(request, length_bytes);
    request->is_in_flight = false;
    traffic->nr_in_flight--;
    traffic->nr_completed++;
    return true;
}

static void finish(struct traffic *traffic)
{
    struct virtqueue *queue = &traffic->fixture.queue;
    struct virtqueue_segment segment = {paddr((uintptr_t)traffic->requests), 1};

    while (device_take(traffic) || device_answer(traffic) || reap(traffic))
        ;
    assert_int_equal(traffic->nr_in_flight, 0);
    assert_int_equal(queue->nr_in_flight, 0);
    assert_int_equal(queue->nr_free, queue->config.size);
    /* Every descriptor and table is back: all of them at once go out again. */
    for (unsigned i = 0; i < queue->config.size; i++)
        assert_int_equal(virtqueue_add(queue, &segment, 1, 0, traffic), 0);
    assert_int_equal(virtqueue_add(queue, &segment, 1, 0, traffic), -EAGAIN);
}

static void any_order(const struct virtqueue_config *config)
{
    struct traffic traffic;
    unsigned nr_steps = config->size <= 8 ? 100000 : 40000;

    traffic_start(&traffic, config);
    for (unsigned step = 0; step < nr_steps; step++) {
        switch (pick(&traffic, 4)) {
        case 0:
            submit(&traffic);
            break;
        case 1:
            device_take(&traffic);
            break;
        case 2:
            device_answer(&traffic);
            break;
        default:
            reap(&traffic);
        }
    }
    assert_true(traffic.nr_completed > nr_steps / 20);
    finish(&traffic);
    traffic_end(&traffic);
}

static void every_chain_comes_back_once(void **state)
{
    (void)state;
    queue_for_each_config(any_order);
}

/* Long enough for 16-bit indices to come round twice. */
static void index_comes_round(const struct virtqueue_config *config)
{
    struct traffic traffic;

    if (config->size > 8)
        return;
    traffic_start(&traffic, config);
    for (unsigned i = 0; i < 140000; i++) {
        while (!submit(&traffic))
            ;
        assert_true(device_take(&traffic));
        assert_true(device_answer(&traffic));
        assert_true(reap(&traffic));
    }
    finish(&traffic);
    traffic_end(&traffic);
}

static void indices_come_round(void **state)
{
    (void)state;
    queue_for_each_config(index_comes_round);
}

/* Each side acts only when it is awake: the device by a notification, the driver by an interrupt or a full ring's wait.
 * Whatever the schedule, nobody sleeps on work. */
static void device_awake_step(struct traffic *traffic, bool *is_awake, bool *interrupt)
{
    if (device_take(traffic))
        return;
    if (traffic->nr_held > 0) {
        device_answer(traffic);
        if (pick(traffic, 2) == 0 && model_must_interrupt(&traffic->fixture.device))
            *interrupt = true;
        return;
    }
    if (model_must_interrupt(&traffic->fixture.device))
        *interrupt = true;
    if (!model_sleep(&traffic->fixture.device))
        *is_awake = false;
    else
        model_poll(&traffic->fixture.device);
}

/* The driver's completion side, in steps between which anything may happen. */
enum handler { IDLE, REAPING, ENABLING };

static enum handler handler_step(struct traffic *traffic, enum handler handler, bool *interrupt)
{
    struct virtqueue *queue = &traffic->fixture.queue;

    switch (handler) {
    case IDLE:
        if (!*interrupt)
            return IDLE;
        *interrupt = false;
        virtqueue_disable_interrupts(queue);
        return REAPING;
    case REAPING:
        return reap(traffic) ? REAPING : ENABLING;
    default:
        if (!virtqueue_enable_interrupts(queue))
            return IDLE;
        virtqueue_disable_interrupts(queue);
        return REAPING;
    }
}

#define SLEEPERS_REQUESTS 5000

static void sleepers(const struct virtqueue_config *config)
{
    struct traffic traffic;
    enum handler handler = IDLE;
    bool is_device_awake = false, interrupt = false, is_announced = true;
    unsigned nr_notifications = 0, nr_submitted = 0, nr_idle_steps = 0;

    traffic_start(&traffic, config);
    while (nr_submitted < SLEEPERS_REQUESTS || traffic.nr_in_flight > 0) {
        if (is_device_awake || handler != IDLE || interrupt || !is_announced)
            nr_idle_steps = 0;
        if (++nr_idle_steps > 10000)
            fail_msg("%s ring of %u: both sides sleep with %u requests in flight",
                     config->format == VIRTQUEUE_SPLIT ? "split" : "packed", config->size, traffic.nr_in_flight);
        switch (pick(&traffic, 4)) {
        case 0:
            if (nr_submitted < SLEEPERS_REQUESTS && traffic.nr_in_flight < traffic.nr_requests && submit(&traffic)) {
                nr_submitted++;
                nr_idle_steps = 0;
                is_announced = false;
            }
            break;
        case 1:
            if (!is_announced && virtqueue_must_notify(&traffic.fixture.queue)) {
                nr_notifications++;
                if (!is_device_awake)
                    model_poll(&traffic.fixture.device);
                is_device_awake = true;
            }
            is_announced = true;
            break;
        case 2:
            if (is_device_awake)
                device_awake_step(&traffic, &is_device_awake, &interrupt);
            break;
        default:
            handler = handler_step(&traffic, handler, &interrupt);
        }
    }
    assert_true(nr_notifications > 0 && nr_notifications <= nr_submitted);
    finish(&traffic);
    traffic_end(&traffic);
}

static void nobody_sleeps_on_work(void **state)
{
    (void)state;
    queue_for_each_config(sleepers);
}

static void full_ring(const struct virtqueue_config *config)
{
    struct queue_fixture fixture;
    uint8_t byte[2] = {0};
    struct virtqueue_segment segments[2] = {{paddr((uintptr_t)&byte[0]), 1}, {paddr((uintptr_t)&byte[1]), 1}};
    struct model_chain chain;
    void *token;
    uint32_t length_bytes;

    queue_set_up(&fixture, config);
    for (unsigned i = 0; i < config->size; i++)
        assert_int_equal(virtqueue_add(&fixture.queue, segments, 0, 1, &fixture), 0);
    assert_int_equal(virtqueue_add(&fixture.queue, segments, 0, 1, &fixture), -EAGAIN);
    if (config->size >= 2)
        assert_int_equal(virtqueue_add(&fixture.queue, segments, 0, 2, &fixture), -EAGAIN);
    assert_int_equal(virtqueue_reap(&fixture.queue, &token, &length_bytes), 0);
    assert_true(model_take(&fixture.device, &chain));
    assert_int_equal(virtqueue_add(&fixture.queue, segments, 0, 1, &fixture), -EAGAIN); /* taken is not returned */
    model_return(&fixture.device, &chain, 1);
    assert_int_equal(virtqueue_add(&fixture.queue, segments, 0, 1, &fixture), -EAGAIN); /* returned is not reaped */
    assert_int_equal(virtqueue_reap(&fixture.queue, &token, &length_bytes), 1);
    assert_int_equal(virtqueue_add(&fixture.queue, segments, 0, 1, &fixture), 0);
    queue_tear_down(&fixture);
}

static void a_full_ring_says_so(void **state)
{
    (void)state;
    queue_for_each_config(full_ring);
}

static void bad_chains_are_refused(void **state)
{
    struct virtqueue_config config = {.format = VIRTQUEUE_SPLIT, .size = 4};
    struct virtqueue_segment segments[5] = {{paddr(1), 1}, {paddr(2), 1}, {paddr(3), 1}, {paddr(4), 1}, {paddr(5), 1}};
    struct queue_fixture fixture;

    (void)state;
    for (unsigned format = VIRTQUEUE_SPLIT; format <= VIRTQUEUE_PACKED; format++) {
        config.format = (enum virtqueue_format)format;
        queue_set_up(&fixture, &config);
        assert_int_equal(virtqueue_add(&fixture.queue, segments, 0, 0, &fixture), -EINVAL);
        assert_int_equal(virtqueue_add(&fixture.queue, segments, 5, 0, &fixture), -EINVAL);
        assert_int_equal(virtqueue_add(&fixture.queue, segments, UINT32_MAX, 2, &fixture), -EINVAL);
        assert_int_equal(virtqueue_add(&fixture.queue, segments, 1, 0, NULL), -EINVAL);
        segments[1].length_bytes = 0;
        assert_int_equal(virtqueue_add(&fixture.queue, segments, 2, 0, &fixture), -EINVAL);
        segments[0].length_bytes = UINT32_MAX;
        segments[1].length_bytes = 1;
        assert_int_equal(virtqueue_add(&fixture.queue, segments, 0, 2, &fixture), -EINVAL);
        assert_int_equal(virtqueue_add(&fixture.queue, segments, 1, 1, &fixture), 0);
        assert_int_equal(virtqueue_max_segments(&fixture.queue), 4);
        segments[0].length_bytes = 1;
        queue_tear_down(&fixture);
    }
}

static void layouts(void **state)
{
    struct virtqueue_layout layout;
    struct virtqueue_config legacy = {.format = VIRTQUEUE_SPLIT, .size = 256, .is_legacy = true};
    struct virtqueue_config modern = {.format = VIRTQUEUE_SPLIT, .size = 256, .nr_tables = 3, .table_length = 5};
    struct virtqueue_config packed = {.format = VIRTQUEUE_PACKED, .size = 100};

    (void)state;
    assert_int_equal(virtqueue_plan(&legacy, &layout), 0);
    assert_int_equal(layout.driver_offset, 4096);
    assert_int_equal(layout.device_offset, 8192);
    assert_int_equal(layout.ring_bytes, 8192 + 6 + 8 * 256);
    assert_int_equal(virtqueue_plan(&modern, &layout), 0);
    assert_int_equal(layout.device_offset % 4, 0);
    assert_true(layout.device_offset >= 4096 + 6 + 2 * 256);
    assert_int_equal(layout.tables_bytes, 3 * 5 * 16);
    assert_int_equal(virtqueue_plan(&packed, &layout), 0);
    assert_true(layout.driver_offset >= 1600 && layout.device_offset >= layout.driver_offset + 4);

    legacy.size = 100;
    assert_int_equal(virtqueue_plan(&legacy, &layout), -EINVAL);
    legacy.size = 0;
    assert_int_equal(virtqueue_plan(&legacy, &layout), -EINVAL);
    packed.is_legacy = true;
    assert_int_equal(virtqueue_plan(&packed, &layout), -EINVAL);
    packed.is_legacy = false;
    packed.size = 32769;
    assert_int_equal(virtqueue_plan(&packed, &layout), -EINVAL);
    modern.table_length = 257;
    assert_int_equal(virtqueue_plan(&modern, &layout), -EINVAL);
    modern.table_length = 0;
    assert_int_equal(virtqueue_plan(&modern, &layout), -EINVAL);
}

static void a_polling_device_is_not_notified(const struct virtqueue_config *config)
{
    struct queue_fixture fixture;
    uint8_t byte = 0;
    struct virtqueue_segment segment = {paddr((uintptr_t)&byte), 1};
    struct model_chain chain;

    queue_set_up(&fixture, config);
    assert_false(virtqueue_must_notify(&fixture.queue));
    assert_int_equal(virtqueue_add(&fixture.queue, &segment, 0, 1, &fixture), 0);
    assert_true(virtqueue_must_notify(&fixture.queue));
    assert_false(virtqueue_must_notify(&fixture.queue));
    assert_true(model_take(&fixture.device, &chain));
    model_poll(&fixture.device);
    if (config->size > 2) {
        assert_int_equal(virtqueue_add(&fixture.queue, &segment, 0, 1, &fixture), 0);
        assert_false(virtqueue_must_notify(&fixture.queue));
        assert_true(model_sleep(&fixture.device));
        assert_true(model_take(&fixture.device, &chain));
        assert_false(model_sleep(&fixture.device));
        assert_int_equal(virtqueue_add(&fixture.queue, &segment, 0, 1, &fixture), 0);
        assert_true(virtqueue_must_notify(&fixture.queue));
    }
    queue_tear_down(&fixture);
}

static void polling_devices(void **state)
{
    (void)state;
    queue_for_each_config(a_polling_device_is_not_notified);
}

/* Exactly so many that the indices are what they were when the device asked. */
static void a_wish_is_heard_a_round_later(void **state)
{
    struct virtqueue_config config = {.format = VIRTQUEUE_SPLIT, .size = 4, .has_event_index = true};
    struct traffic traffic;

    (void)state;
    for (unsigned nr_more = 0; nr_more < 3; nr_more++) {
        traffic_start(&traffic, &config);
        for (unsigned i = 0; i < 0x10000u + nr_more; i++) {
            while (!submit(&traffic))
                ;
            assert_true(device_take(&traffic) && device_answer(&traffic) && reap(&traffic));
        }
        assert_true(virtqueue_must_notify(&traffic.fixture.queue));
        finish(&traffic);
        traffic_end(&traffic);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layouts),
        cmocka_unit_test(bad_chains_are_refused),
        cmocka_unit_test(a_full_ring_says_so),
        cmocka_unit_test(every_chain_comes_back_once),
        cmocka_unit_test(indices_come_round),
        cmocka_unit_test(a_wish_is_heard_a_round_later),
        cmocka_unit_test(polling_devices),
        cmocka_unit_test(nobody_sleeps_on_work),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
