/* The ring's code and a model of a device on two CPUs, in every schedule: the protocol of tests/models/virtqueue.pml,
 * with the code in place of the model. Required of every schedule: each request comes back once, with its own answer;
 * the device finds what was written for it; no descriptor or table is written while the device has it; nobody sleeps
 * on work; in the end all descriptors are free. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <hw/virtio_ring.h>

#include "../support/virtio_device.h"
#include "schedule.h"

#define RING_MAX     4
#define REQUESTS_MAX (RING_MAX + 1) /* more than fit */
#define SEGMENTS_MAX 2
#define PRIVATE_MAX  256
#define HELD_MAX     2
#define ANSWERED     128 /* what the device adds to what it found */

#define TABLES_AT  192 /* in shared memory */
#define BUFFERS_AT 256
#define SHARED     (BUFFERS_AT + REQUESTS_MAX * SEGMENTS_MAX)

struct scenario {
    const char *name;
    enum virtqueue_format format;
    bool has_event_index;
    uint16_t size, nr_tables;
    unsigned nr_requests, nr_segments;
    bool is_batched; /* the driver may add several before it notifies, the device return several before it interrupts */
    bool is_out_of_order; /* the device may hold two, and return the later first */
    enum schedule_order order;
};

struct request {
    bool is_in_flight;
    uint8_t content;
    uint16_t slots, tables; /* written for it, one bit each */
};

static struct {
    /* The driver's. */
    struct virtqueue queue;
    _Alignas(8) uint8_t private[PRIVATE_MAX];
    unsigned nr_added, nr_reaped;
    bool is_full; /* as far as the driver knows */
    struct request requests[REQUESTS_MAX];
    struct request *adding;
    /* The device's. */
    struct virtio_model device;
    struct model_chain held[HELD_MAX];
    unsigned nr_held;
    /* Of the proof: how many slots the device has, and in a packed ring which. */
    unsigned first_slot, nr_slots;
} traffic;

static const char *const order_names[] = {[SCHEDULE_TSO] = "x86", [SCHEDULE_WEAK] = "weak"};

static const struct scenario *scenario;
static struct virtqueue_layout layout;

#define CHECK(condition)                                        \
    do {                                                        \
        if (!(condition))                                       \
            schedule_fail("line %u: %s", __LINE__, #condition); \
    } while (0)

/* ---- the driver ---- */

static size_t buffer_at(const struct request *request, unsigned segment)
{
    return BUFFERS_AT + (size_t)(request - traffic.requests) * SEGMENTS_MAX + segment;
}

static uint8_t *buffer(enum schedule_side side, const struct request *request, unsigned segment)
{
    return schedule_shared(side, buffer_at(request, segment));
}

static struct request *idle_request(void)
{
    for (unsigned i = 0; i <= scenario->size; i++)
        if (!traffic.requests[i].is_in_flight)
            return &traffic.requests[i];
    return NULL;
}

/* A physical address is the address in the device's view. */
static bool add(void)
{
    struct request *request = idle_request();
    unsigned nr = scenario->nr_segments;
    struct virtqueue_segment segments[SEGMENTS_MAX];
    int result;

    if (request == NULL)
        return false;
    request->content = (uint8_t)(traffic.nr_added + 1);
    for (unsigned i = 0; i < nr; i++) {
        *buffer(SCHEDULE_DRIVER, request, i) = request->content;
        segments[i] = (struct virtqueue_segment){paddr((uintptr_t)buffer(SCHEDULE_DEVICE, request, i)), 1};
    }
    /* The device may have it before the call returns. */
    traffic.adding = request;
    request->is_in_flight = true;
    result = virtqueue_add(&traffic.queue, segments, nr - 1, 1, request);
    traffic.adding = NULL;
    CHECK(result == 0 || result == -EAGAIN);
    if (result != 0) {
        request->is_in_flight = false;
        CHECK(request->slots == 0 && request->tables == 0);
        return false;
    }
    traffic.nr_added++;
    return true;
}

static void reap(void)
{
    struct request *request;
    uint32_t length_bytes;
    void *token;
    int result;

    while ((result = virtqueue_reap(&traffic.queue, &token, &length_bytes)) > 0) {
        request = token;
        CHECK(request->is_in_flight);
        CHECK(length_bytes == 1);
        CHECK(*buffer(SCHEDULE_DRIVER, request, scenario->nr_segments - 1) == request->content + ANSWERED);
        traffic.nr_slots -= (unsigned)__builtin_popcount(request->slots);
        traffic.first_slot += (unsigned)__builtin_popcount(request->slots);
        traffic.first_slot %= scenario->size;
        *request = (struct request){0};
        traffic.nr_reaped++;
        traffic.is_full = false;
    }
    CHECK(result == 0);
}

/* As virtio/virtqueue.h says. */
static void handle(void)
{
    do {
        virtqueue_disable_interrupts(&traffic.queue);
        reap();
    } while (virtqueue_enable_interrupts(&traffic.queue));
}

static void drive(void)
{
    while (traffic.nr_added < scenario->nr_requests || traffic.nr_reaped < scenario->nr_requests) {
        bool can_add = traffic.nr_added < scenario->nr_requests && !traffic.is_full;

        if (schedule_wait(can_add, true) == can_add) {
            handle();
            continue;
        }
        do
            traffic.is_full = !add();
        while (!traffic.is_full && scenario->is_batched && traffic.nr_added < scenario->nr_requests &&
               schedule_wait(2, false));
        if (virtqueue_must_notify(&traffic.queue))
            schedule_raise();
    }
}

/* ---- the device ---- */

static void give_back(unsigned n)
{
    struct model_chain *chain = &traffic.held[n];
    uint8_t content = *chain->segments[0].base;

    CHECK(chain->nr == scenario->nr_segments && chain->nr_readable == chain->nr - 1);
    for (unsigned i = 0; i < chain->nr; i++) {
        size_t at = (size_t)(chain->segments[i].base - buffer(SCHEDULE_DEVICE, traffic.requests, i));
        struct request *request = &traffic.requests[at / SEGMENTS_MAX];

        CHECK(request->is_in_flight && buffer(SCHEDULE_DEVICE, request, i) == chain->segments[i].base);
        CHECK(request->content == content && *chain->segments[i].base == content);
    }
    *chain->segments[chain->nr - 1].base = (uint8_t)(content + ANSWERED);
    model_return(&traffic.device, chain, 1);
    traffic.nr_held--;
    if (n == 0)
        traffic.held[0] = traffic.held[1];
    memset(&traffic.held[traffic.nr_held], 0, sizeof(*chain));
}

/* Takes, and returns, until there is nothing left. */
static void serve(void)
{
    model_poll(&traffic.device);
    while (model_take(&traffic.device, &traffic.held[traffic.nr_held])) {
        traffic.nr_held++;
        while (traffic.nr_held > 0) {
            if (scenario->is_out_of_order && traffic.nr_held < HELD_MAX && schedule_wait(2, false) == 0 &&
                model_take(&traffic.device, &traffic.held[traffic.nr_held]))
                traffic.nr_held++;
            give_back(traffic.nr_held > 1 ? schedule_wait(2, false) : 0);
            if (scenario->is_batched && schedule_wait(2, false) == 0)
                continue;
            if (model_must_interrupt(&traffic.device))
                schedule_raise();
        }
    }
    if (model_must_interrupt(&traffic.device))
        schedule_raise();
}

static void be_device(void)
{
    for (;;) {
        (void)schedule_wait(0, true);
        do
            serve();
        while (model_sleep(&traffic.device));
    }
}

/* ---- the proof ---- */

/* A split ring's slots and all tables are the request's they were written for; a packed ring's are taken round by
 * round, as it returns ids, not slots. */
static void watch_slot(unsigned slot)
{
    bool is_again = traffic.adding != NULL && traffic.adding->slots >> slot & 1;

    CHECK(traffic.adding != NULL); /* nobody else writes descriptors */
    if (scenario->format == VIRTQUEUE_PACKED && !is_again &&
        (slot - traffic.first_slot + scenario->size) % scenario->size < traffic.nr_slots)
        schedule_fail("slot %u is written while the device has it", slot);
    traffic.nr_slots += !is_again;
    for (unsigned i = 0; scenario->format == VIRTQUEUE_SPLIT && i < REQUESTS_MAX; i++)
        if (&traffic.requests[i] != traffic.adding && traffic.requests[i].slots >> slot & 1)
            schedule_fail("descriptor %u is written while the device has it", slot);
    traffic.adding->slots |= (uint16_t)(1u << slot);
}

static void watch_table(unsigned table)
{
    CHECK(traffic.adding != NULL);
    for (unsigned i = 0; i < REQUESTS_MAX; i++)
        if (&traffic.requests[i] != traffic.adding && traffic.requests[i].tables >> table & 1)
            schedule_fail("table %u is written while the device has it", table);
    traffic.adding->tables |= (uint16_t)(1u << table);
}

static void watch(enum schedule_side side, size_t offset)
{
    if (side != SCHEDULE_DRIVER)
        return;
    if (offset < scenario->size * sizeof(struct virtq_desc))
        watch_slot((unsigned)(offset / sizeof(struct virtq_desc)));
    else if (offset >= TABLES_AT && offset < BUFFERS_AT)
        watch_table((unsigned)((offset - TABLES_AT) / (SEGMENTS_MAX * sizeof(struct virtq_desc))));
}

static void at_end(void)
{
    if (traffic.nr_reaped != scenario->nr_requests)
        schedule_fail("both sides sleep: %u added, %u reaped, of %u", traffic.nr_added, traffic.nr_reaped,
                      scenario->nr_requests);
    CHECK(traffic.queue.fault == VIRTQUEUE_SOUND);
    CHECK(traffic.queue.nr_in_flight == 0 && traffic.queue.nr_free == scenario->size && traffic.nr_slots == 0);
}

static void describe(size_t offset, char *text, size_t text_bytes)
{
    const char *area = "buffer";
    size_t start = BUFFERS_AT;

    if (offset < layout.driver_offset) {
        area = "descriptors";
        start = 0;
    } else if (offset < layout.device_offset) {
        area = "driver area";
        start = layout.driver_offset;
    } else if (offset < TABLES_AT) {
        area = "device area";
        start = layout.device_offset;
    } else if (offset < BUFFERS_AT) {
        area = "tables";
        start = TABLES_AT;
    }
    snprintf(text, text_bytes, "%s+%zu", area, offset - start);
}

/* ---- the search ---- */

/* Shortly before the indices come round. */
#define FIRST_INDEX 65533u

static void wind_indices(void)
{
    struct virtqueue *queue = &traffic.queue;
    struct virtq_avail *avail = queue->driver_area;
    struct virtq_used *used = queue->device_area;
    uint16_t *avail_event = (void *)&used->ring[scenario->size];

    queue->next_avail = queue->next_used = queue->used_limit = FIRST_INDEX;
    avail->index = used->index = FIRST_INDEX;
    avail->ring[scenario->size] = FIRST_INDEX;
    *avail_event = FIRST_INDEX;
    traffic.device.next_avail = traffic.device.next_used = FIRST_INDEX;
}

static void *device_side(void *driver_side)
{
    return (char *)schedule_shared(SCHEDULE_DEVICE, 0) +
           ((char *)driver_side - (char *)schedule_shared(SCHEDULE_DRIVER, 0));
}

static void start(void)
{
    struct virtqueue_config config = {
        .format = scenario->format,
        .size = scenario->size,
        .has_event_index = scenario->has_event_index,
        .nr_tables = scenario->nr_tables,
        .table_length = scenario->nr_tables ? SEGMENTS_MAX : 0,
    };
    struct virtqueue_memory memory = {
        .ring = schedule_shared(SCHEDULE_DRIVER, 0),
        .tables = schedule_shared(SCHEDULE_DRIVER, TABLES_AT),
        .tables_base = paddr((uintptr_t)schedule_shared(SCHEDULE_DEVICE, TABLES_AT)),
        .private = traffic.private,
    };

    CHECK(virtqueue_plan(&config, &layout) == 0);
    CHECK(layout.ring_bytes <= TABLES_AT && layout.tables_bytes <= BUFFERS_AT - TABLES_AT);
    CHECK(layout.private_bytes <= sizeof(traffic.private));
    CHECK(virtqueue_init(&traffic.queue, &config, &memory) == 0);
    model_init(&traffic.device, &traffic.queue);
    traffic.device.descriptors = device_side(traffic.queue.descriptors);
    traffic.device.driver_area = device_side(traffic.queue.driver_area);
    traffic.device.device_area = device_side(traffic.queue.device_area);
    if (scenario->format == VIRTQUEUE_SPLIT)
        wind_indices();
}

static void explore(const struct scenario *of, const char *only)
{
    struct schedule_test test = {
        .order = of->order,
        .start = start,
        .run = {drive, be_device},
        .at_end = at_end,
        .data = &traffic,
        .data_bytes = sizeof(traffic),
        .shared_bytes = SHARED,
        .store_watch = watch,
        .describe = describe,
    };

    scenario = of;
    snprintf(test.name, sizeof(test.name), "%s, %s%s, %s", of->name, of->format == VIRTQUEUE_SPLIT ? "split" : "packed",
             of->has_event_index ? ", event index" : "", order_names[of->order]);
    if (strstr(test.name, only) == NULL)
        return;
    printf("%-50s %9lu states\n", test.name, (unsigned long)schedule_explore(&test));
    fflush(stdout);
}

/* With an argument, the scenarios that have it in their name only. */
int main(int argc, char **argv)
{
    static const struct scenario shapes[] = {
        /* That of the model. */
        {.name = "ring of 2", .size = 2, .nr_requests = 4, .nr_segments = 1},
        {.name = "several at once", .size = 2, .nr_requests = 4, .nr_segments = 1, .is_batched = true},
        {.name = "several of 4", .size = 4, .nr_requests = 3, .nr_segments = 1, .is_batched = true},
        {.name = "out of order", .size = 4, .nr_requests = 3, .nr_segments = 1, .is_out_of_order = true},
        {.name = "chains", .size = 4, .nr_requests = 3, .nr_segments = 2, .is_out_of_order = true},
        {.name = "tables", .size = 4, .nr_tables = 2, .nr_requests = 3, .nr_segments = 2, .is_out_of_order = true},
        {.name = "ring of 2", .size = 2, .nr_requests = 3, .nr_segments = 1, .order = SCHEDULE_WEAK},
        {.name = "chains", .size = 4, .nr_requests = 2, .nr_segments = 2, .order = SCHEDULE_WEAK},
        {.name = "tables", .size = 2, .nr_tables = 1, .nr_requests = 1, .nr_segments = 2, .order = SCHEDULE_WEAK},
    };

    for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]) * 4; i++) {
        struct scenario one = shapes[i / 4];

        one.format = i & 1 ? VIRTQUEUE_PACKED : VIRTQUEUE_SPLIT;
        one.has_event_index = i & 2;
        explore(&one, argc > 1 ? argv[1] : "");
    }
    return 0;
}
