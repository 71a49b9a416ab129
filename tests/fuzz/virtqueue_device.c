#include "virtqueue_device.h"

#include <sanitizer/asan_interface.h>
#include <string.h>

#include <base/align.h>
#include <hw/virtio_ring.h>

#include "support.h"
#include <ring.h>

#define REQUESTS     64u
#define SEGMENTS_MAX 4u

/* What the driver's user knows of each request; the token is its address. */
struct request {
    bool is_in_flight;
    bool is_returned; /* honestly, and not reaped */
    uint32_t writable_bytes;
};

/* Until its first lie a device is honest, and the driver must find nothing wrong with it. */
struct device {
    bool has_lied;
    unsigned nr_returned; /* honestly, and not reaped */
    uint16_t slot;        /* packed: where an honest device returns the next chain */
    bool wrap;
};

static struct virtqueue queue;
static struct virtqueue_layout layout;
static struct virtqueue_memory memory;
static struct request requests[REQUESTS];
static struct device device;
static unsigned nr_in_flight;
static bool is_unannounced; /* added since the last look at the device's wish */

#define ROOM 8192u /* of each piece of memory; more than any configuration here plans */

static _Alignas(4096) uint8_t ring_room[ROOM], tables_room[ROOM], private_room[ROOM];

/* Exactly as much as planned, dirty: the sanitizer sees the byte behind it. */
static void *lend(uint8_t *room, size_t size)
{
    REQUIRE(size < ROOM, "%zu bytes planned", size);
    ASAN_UNPOISON_MEMORY_REGION(room, ROOM);
    memset(room, 0xa5, ROOM);
    ASAN_POISON_MEMORY_REGION(room + size, ROOM - size);
    return room;
}

static bool start(enum virtqueue_format format, const uint8_t *data)
{
    unsigned size = 1 + data[0] % 32;
    struct virtqueue_config config = {
        .format = format,
        .has_event_index = data[1] & 1,
        .is_legacy = (data[1] & 6) == 6 && format == VIRTQUEUE_SPLIT,
    };

    config.size = (uint16_t)(format == VIRTQUEUE_SPLIT ? 1u << log2_floor(size) : size);
    if (data[1] & 8) {
        config.nr_tables = (uint16_t)(1 + data[1] / 16);
        config.table_length = config.size < SEGMENTS_MAX ? config.size : SEGMENTS_MAX;
    }
    if (virtqueue_plan(&config, &layout) != 0)
        return false;
    memory.ring = lend(ring_room, layout.ring_bytes);
    memory.tables = lend(tables_room, layout.tables_bytes);
    memory.private = lend(private_room, layout.private_bytes);
    memory.tables_base = paddr((uint64_t)(uintptr_t)memory.tables);
    memset(requests, 0, sizeof(requests));
    nr_in_flight = 0;
    is_unannounced = false;
    device = (struct device){.wrap = true};
    REQUIRE(virtqueue_init(&queue, &config, &memory) == 0, "a planned queue does not start");
    return true;
}

static void add(const uint8_t *step)
{
    struct request *request = &requests[step[1] % REQUESTS];
    unsigned nr = 1 + step[2] % SEGMENTS_MAX, nr_readable = step[3] % (nr + 1);
    struct virtqueue_segment segments[SEGMENTS_MAX];
    int result;

    if (request->is_in_flight)
        return;
    request->writable_bytes = 0;
    for (unsigned i = 0; i < nr; i++) {
        segments[i] = (struct virtqueue_segment){paddr(0x1000u * (i + 1)), 1 + step[3] / 4u};
        if (i >= nr_readable)
            request->writable_bytes += segments[i].length_bytes;
    }
    result = virtqueue_add(&queue, segments, nr_readable, nr - nr_readable, request);
    REQUIRE(result == 0 || result == -EAGAIN || (result == -EINVAL && nr > queue.config.size) ||
                (result == -EIO && queue.fault != VIRTQUEUE_SOUND),
            "add: %d", result);
    if (result == 0) {
        request->is_in_flight = true;
        is_unannounced = true;
        nr_in_flight++;
    }
}

static struct virtq_used *used(void)
{
    return queue.device_area;
}

static struct virtq_packed_desc *slot(void)
{
    return (struct virtq_packed_desc *)queue.descriptors + queue.next_used;
}

static void write_slot(struct virtq_packed_desc *to, bool wrap, uint16_t id, uint32_t length_bytes)
{
    to->id = id;
    to->length_bytes = length_bytes;
    to->flags = wrap ? VIRTQ_PACKED_AVAIL | VIRTQ_PACKED_USED : 0;
}

/* Returns an id where the driver looks next. */
static void give_back(uint16_t id, uint32_t length_bytes)
{
    if (queue.config.format == VIRTQUEUE_SPLIT) {
        used()->ring[used()->index % queue.config.size] = (struct virtq_used_element){id, length_bytes};
        used()->index++;
    } else {
        write_slot(slot(), queue.used_wrap, id, length_bytes);
    }
}

/* The same behind what it returned before, over the slots of the chain. */
static void give_back_next(uint16_t id, uint32_t length_bytes)
{
    if (queue.config.format == VIRTQUEUE_SPLIT) {
        give_back(id, length_bytes);
        return;
    }
    write_slot((struct virtq_packed_desc *)queue.descriptors + device.slot, device.wrap, id, length_bytes);
    device.slot = (uint16_t)(device.slot + queue.chains[id].nr_descriptors);
    if (device.slot >= queue.config.size) {
        device.slot = (uint16_t)(device.slot - queue.config.size);
        device.wrap = !device.wrap;
    }
}

/* The n-th id that the device still has, with a length it may have. */
static void give_back_honestly(const uint8_t *step)
{
    unsigned nr_held = nr_in_flight - device.nr_returned, n = nr_held ? step[1] % nr_held : 0;

    for (uint16_t id = 0; id < queue.config.size; id++) {
        struct request *request = queue.chains[id].token;

        if (request == NULL || (!device.has_lied && request->is_returned) || n-- != 0)
            continue;
        if (device.has_lied) {
            give_back(id, step[2] % (request->writable_bytes + 1));
            return;
        }
        give_back_next(id, step[2] % (request->writable_bytes + 1));
        request->is_returned = true;
        device.nr_returned++;
        return;
    }
}

static uint32_t claimed_length(void)
{
    return queue.config.format == VIRTQUEUE_SPLIT ? used()->ring[queue.next_used % queue.config.size].length_bytes
                                                  : slot()->length_bytes;
}

/* More returned than there is. */
static bool is_index_a_lie(void)
{
    return queue.config.format == VIRTQUEUE_SPLIT && queue.next_used == queue.used_limit &&
           (uint16_t)(used()->index - queue.next_used) > nr_in_flight;
}

static void reap(void)
{
    void *token = NULL;
    uint32_t length_bytes = 0, claimed = claimed_length();
    bool must_fail = queue.fault != VIRTQUEUE_SOUND || is_index_a_lie();
    int result = virtqueue_reap(&queue, &token, &length_bytes);
    struct request *request = token;

    REQUIRE(result == 0 || result == 1 || (result == -EIO && queue.fault != VIRTQUEUE_SOUND), "reap: %d", result);
    REQUIRE(!must_fail || result == -EIO, "a lying index was believed");
    REQUIRE(device.has_lied || result == (device.nr_returned > 0), "an honest device is accused, or not listened to");
    if (result != 1)
        return;
    REQUIRE(request != NULL && request->is_in_flight, "a request came back that was not in flight");
    REQUIRE(length_bytes <= request->writable_bytes, "more bytes than the request holds");
    REQUIRE(queue.config.is_legacy || length_bytes == claimed, "a length was not checked but cut");
    REQUIRE(device.has_lied || request->is_returned, "a request came back that the device has");
    device.nr_returned -= !device.has_lied;
    request->is_in_flight = request->is_returned = false;
    nr_in_flight--;
}

static void notify(void)
{
    bool must_notify = virtqueue_must_notify(&queue);

    /* Where it says nothing it wants to hear of everything. */
    REQUIRE(device.has_lied || queue.config.has_event_index || must_notify == is_unannounced, "a wish is not heard");
    is_unannounced = false;
}

static void check_free_tables(void)
{
    unsigned nr = 0;

    for (uint16_t at = queue.free_table; at != NO_TABLE && nr <= queue.config.nr_tables; at = queue.next_table[at])
        nr++;
    for (unsigned id = 0; id < queue.config.size; id++)
        nr += queue.chains[id].token != NULL && queue.chains[id].table != NO_TABLE;
    REQUIRE(nr == queue.config.nr_tables, "%u tables, not %u", nr, queue.config.nr_tables);
}

/* The free lists hold exactly what is not in flight. */
static void check_free(void)
{
    unsigned nr_descriptors = queue.nr_free;
    unsigned nr = queue.config.format == VIRTQUEUE_SPLIT ? queue.nr_free : queue.config.size - nr_in_flight;
    uint16_t at = queue.free_chain;

    check_free_tables();
    REQUIRE(queue.nr_in_flight == nr_in_flight, "%u in flight, not %u", queue.nr_in_flight, nr_in_flight);
    for (unsigned id = 0; id < queue.config.size; id++)
        nr_descriptors += queue.chains[id].token ? queue.chains[id].nr_descriptors : 0;
    REQUIRE(nr_descriptors == queue.config.size, "%u descriptors in a ring of %u", nr_descriptors, queue.config.size);
    for (unsigned i = 0; i < nr; i++, at = queue.chains[at].next)
        REQUIRE(at < queue.config.size && queue.chains[at].token == NULL, "the free list is broken");
}

/* After a reset both begin anew. */
static void start_anew(void)
{
    struct virtqueue_config config = queue.config;
    struct virtqueue_segment segment = {paddr(0x1000), 1};

    REQUIRE(virtqueue_init(&queue, &config, &memory) == 0, "a queue does not start anew");
    device = (struct device){.wrap = true};
    REQUIRE(virtqueue_add(&queue, &segment, 0, 1, &requests[0]) == 0, "a queue started anew is full");
    requests[0] = (struct request){.is_in_flight = true, .writable_bytes = 1};
    nr_in_flight = 1;
    give_back_honestly((const uint8_t[4]){0});
    reap();
    REQUIRE(nr_in_flight == 0, "a queue started anew loses a request");
}

static void finish(void)
{
    struct request *request;

    virtqueue_stop(&queue);
    while ((request = virtqueue_detach(&queue)) != NULL) {
        REQUIRE(request->is_in_flight, "a request was detached that was not in flight");
        request->is_in_flight = false;
        nr_in_flight--;
    }
    REQUIRE(nr_in_flight == 0, "%u requests are lost", nr_in_flight);
    start_anew();
}

/* Any byte of what the device may write. */
static void scribble(unsigned where, uint8_t byte)
{
    size_t at = where % (layout.ring_bytes + layout.tables_bytes);

    if (at < layout.ring_bytes)
        ((uint8_t *)memory.ring)[at] = byte;
    else
        ((uint8_t *)memory.tables)[at - layout.ring_bytes] = byte;
}

static void play(const uint8_t *step)
{
    unsigned word = step[1] | (unsigned)step[2] << 8;
    bool has_completion;

    device.has_lied |= step[0] % 10 >= 4 && step[0] % 10 <= 6;
    switch (step[0] % 10) {
    case 0:
    case 1:
        add(step);
        break;
    case 2:
    case 3:
        give_back_honestly(step);
        break;
    case 4:
        give_back((uint16_t)(step[1] & 0x80 ? word : word % (queue.config.size + 2u)), step[3]);
        break;
    case 5:
        scribble(word, step[3]);
        break;
    case 6:
        if (queue.config.format == VIRTQUEUE_SPLIT)
            used()->index = (uint16_t)(queue.next_used + (step[1] & 1 ? step[2] % 40u : word));
        break;
    case 7:
        notify();
        check_free();
        break;
    case 8:
        virtqueue_disable_interrupts(&queue);
        has_completion = virtqueue_enable_interrupts(&queue);
        REQUIRE(device.has_lied || has_completion == (device.nr_returned > 0), "a completion is not seen");
        if (has_completion)
            reap();
        break;
    default:
        reap();
    }
}

int fuzz_virtqueue(enum virtqueue_format format, const uint8_t *data, size_t size)
{
    if (size < 2 || !start(format, data))
        return 0;
    for (size_t i = 2; i + 4 <= size; i += 4)
        play(data + i);
    check_free();
    finish();
    return 0;
}
