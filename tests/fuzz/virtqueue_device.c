#include "virtqueue_device.h"

#include <stdlib.h>
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
    uint32_t writable_bytes;
};

static struct virtqueue queue;
static struct virtqueue_layout layout;
static struct virtqueue_memory memory;
static struct request requests[REQUESTS];
static unsigned nr_in_flight;

/* Exactly as much as planned, so that the sanitizer sees the byte behind it. */
static void *allocate(size_t alignment, size_t size)
{
    void *block = NULL;

    REQUIRE(posix_memalign(&block, alignment, size ? size : 1) == 0, "no memory");
    return block;
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
    memory.ring = allocate(4096, layout.ring_bytes);
    memory.tables = allocate(16, layout.tables_bytes);
    memory.private = allocate(8, layout.private_bytes);
    memory.tables_base = paddr((uint64_t)(uintptr_t)memory.tables);
    memset(requests, 0, sizeof(requests));
    nr_in_flight = 0;
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

/* Returns an id as a device does, behind what it returned before. */
static void give_back(uint16_t id, uint32_t length_bytes)
{
    if (queue.config.format == VIRTQUEUE_SPLIT) {
        used()->ring[used()->index % queue.config.size] = (struct virtq_used_element){id, length_bytes};
        used()->index++;
    } else {
        slot()->id = id;
        slot()->length_bytes = length_bytes;
        slot()->flags = queue.used_wrap ? VIRTQ_PACKED_AVAIL | VIRTQ_PACKED_USED : 0;
    }
}

/* The n-th id in flight, with a length it may have. */
static void give_back_honestly(const uint8_t *step)
{
    unsigned n = nr_in_flight ? step[1] % nr_in_flight : 0;

    for (uint16_t id = 0; id < queue.config.size; id++) {
        const struct request *request = queue.chains[id].token;

        if (request != NULL && n-- == 0)
            give_back(id, step[2] % (request->writable_bytes + 1));
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
    if (result != 1)
        return;
    REQUIRE(request != NULL && request->is_in_flight, "a request came back that was not in flight");
    REQUIRE(length_bytes <= request->writable_bytes, "more bytes than the request holds");
    REQUIRE(queue.config.is_legacy || length_bytes == claimed, "a length was not checked but cut");
    request->is_in_flight = false;
    nr_in_flight--;
}

/* The free lists hold exactly what is not in flight. */
static void check_free(void)
{
    unsigned nr_descriptors = queue.nr_free;
    unsigned nr = queue.config.format == VIRTQUEUE_SPLIT ? queue.nr_free : queue.config.size - nr_in_flight;
    uint16_t at = queue.free_chain;

    REQUIRE(queue.nr_in_flight == nr_in_flight, "%u in flight, not %u", queue.nr_in_flight, nr_in_flight);
    for (unsigned id = 0; id < queue.config.size; id++)
        nr_descriptors += queue.chains[id].token ? queue.chains[id].nr_descriptors : 0;
    REQUIRE(nr_descriptors == queue.config.size, "%u descriptors in a ring of %u", nr_descriptors, queue.config.size);
    for (unsigned i = 0; i < nr; i++, at = queue.chains[at].next)
        REQUIRE(at < queue.config.size && queue.chains[at].token == NULL, "the free list is broken");
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
}

static void play(const uint8_t *step)
{
    unsigned word = step[1] | (unsigned)step[2] << 8;

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
    case 5: /* any byte of what the device may write */
        ((uint8_t *)memory.ring)[word % layout.ring_bytes] = step[3];
        break;
    case 6:
        if (queue.config.format == VIRTQUEUE_SPLIT)
            used()->index = (uint16_t)(queue.next_used + (step[1] & 1 ? step[2] % 40u : word));
        break;
    case 7:
        if (virtqueue_must_notify(&queue))
            check_free();
        break;
    case 8:
        virtqueue_disable_interrupts(&queue);
        if (virtqueue_enable_interrupts(&queue))
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
    free(memory.ring);
    free(memory.tables);
    free(memory.private);
    return 0;
}
