#include "blk_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/errno.h>
#include <hw/virtio.h>
#include <irq/deferred.h>
#include <mm/physmap.h>
#include <time/clock.h>
#include <time/timer.h>
#include <virtio/blk.h>
#include <virtio/bus.h>
#include <virtio/queue.h>

#include "random.h"

#define CHECK(condition)                                                                                \
    do {                                                                                                \
        if (!(condition)) {                                                                             \
            fprintf(stderr, "%s:%d: the driver broke the rules: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                                    \
        }                                                                                               \
    } while (0)

char *host_physmap; /* physical addresses are the host's */
struct page *host_page_array;
const struct bus virtio_bus = {.name = "virtio"};
struct blk_model model;

static struct driver *driver;
static struct block_device *disk;
static struct deferred *deferred;
static struct timer *timers[MODEL_QUEUES]; /* those that are set */
static uint64_t now_ns;

/* ---- the transport ---- */

static uint8_t read_status(struct virtio_device *device)
{
    return model.status;
}

static void write_status(struct virtio_device *device, uint8_t status)
{
    if (status != 0) {
        model.status = status;
        return;
    }
    model.nr_resets++;
    if (!model.resets)
        return;
    model.status = 0;
    model.nr_rings = 0;
    model.nr_held = 0;
}

static uint64_t read_features(struct virtio_device *device)
{
    return model.offers;
}

static void write_features(struct virtio_device *device, uint64_t features)
{
    CHECK((features & ~model.offers) == 0);
}

static bool wait_for_reset(struct virtio_device *device)
{
    return false;
}

static void cut_off(struct virtio_device *device)
{
    model.nr_rings = 0;
    model.nr_held = 0;
}

static int interrupts_request(struct virtio_device *device, const struct virtio_interrupts *wanted)
{
    if (!model.has_interrupts)
        return -ENODEV;
    CHECK(wanted->nr_queues <= MODEL_QUEUES);
    model.interrupts = *wanted;
    for (unsigned i = 0; i < wanted->nr_queues; i++) {
        model.queue_contexts[i] = wanted->contexts[i];
        wanted->queue(wanted->contexts[i]); /* one for nothing, before the queues are there */
    }
    return 0;
}

static void interrupts_release(struct virtio_device *device)
{
    model.interrupts = (struct virtio_interrupts){0};
}

static bool read_config(struct virtio_device *device, unsigned offset, void *to, size_t length)
{
    if (offset + length > sizeof(model.config))
        return false;
    memcpy(to, (char *)&model.config + offset, length);
    return true;
}

static bool write_config8(struct virtio_device *device, unsigned offset, uint8_t value)
{
    CHECK(offset == offsetof(struct virtio_blk_config, writeback)); /* all else is not ours to write */
    model.config.writeback = value;
    return true;
}

static uint8_t config_generation(struct virtio_device *device)
{
    return 0;
}

static const struct virtio_transport transport = {
    .read_status = read_status,
    .write_status = write_status,
    .read_features = read_features,
    .write_features = write_features,
    .wait_for_reset = wait_for_reset,
    .cut_off = cut_off,
    .interrupts_request = interrupts_request,
    .interrupts_release = interrupts_release,
    .read_config = read_config,
    .write_config8 = write_config8,
    .config_generation = config_generation,
};

/* ---- its ring, in place of drivers/virtio/queue.c ---- */

static void *aligned(size_t alignment, size_t size)
{
    void *memory = NULL;

    if (size != 0 && posix_memalign(&memory, alignment, size) != 0)
        abort();
    return memory;
}

int virtio_queue_create(struct virtio_queue *queue, struct virtio_device *device, uint16_t index, uint16_t max_size,
                        uint16_t max_segments)
{
    struct virtqueue_config config = {.size = model.ring_size < max_size ? model.ring_size : max_size};
    struct virtqueue_layout layout;

    CHECK(index == model.nr_rings && index < MODEL_QUEUES && !(model.status & VIRTIO_STATUS_DRIVER_OK));
    config.format = device->features & VIRTIO_F_RING_PACKED ? VIRTQUEUE_PACKED : VIRTQUEUE_SPLIT;
    config.has_event_index = device->features & VIRTIO_F_EVENT_IDX;
    config.nr_tables = device->features & VIRTIO_F_INDIRECT_DESC ? config.size : 0;
    config.table_length = max_segments < config.size ? max_segments : config.size;
    if (virtqueue_plan(&config, &layout) != 0)
        return -EINVAL;
    *queue = (struct virtio_queue){.device = device, .index = index};
    queue->memory.ring = aligned(4096, layout.ring_bytes);
    queue->memory.tables = aligned(16, layout.tables_bytes);
    queue->memory.tables_base = paddr((uint64_t)(uintptr_t)queue->memory.tables);
    queue->memory.private = aligned(8, layout.private_bytes);
    if (virtqueue_init(&queue->ring, &config, &queue->memory) != 0)
        abort();
    model_init(&model.rings[model.nr_rings++], &queue->ring);
    return 0;
}

void virtio_queue_destroy(struct virtio_queue *queue)
{
    CHECK(queue->ring.nr_in_flight == 0 && model.nr_rings == 0); /* the device has been reset, or cut off */
    free(queue->memory.ring);
    free(queue->memory.tables);
    free(queue->memory.private);
    queue->memory = (struct virtqueue_memory){0};
}

void virtio_queue_notify(struct virtio_queue *queue)
{
    if (virtqueue_must_notify(&queue->ring))
        CHECK(model.status & VIRTIO_STATUS_DRIVER_OK);
}

/* ---- its disk ---- */

static uint8_t transfer(const struct model_chain *chain, const struct virtio_blk_header *header)
{
    uint64_t at = header->sector * 512;
    bool is_read = header->type == VIRTIO_BLK_T_IN;

    for (unsigned i = 1; i + 1 < chain->nr; i++) {
        CHECK(is_read == (i >= chain->nr_readable));
        CHECK(at + chain->segments[i].length_bytes <= sizeof(model.content));
        if (is_read)
            memcpy(chain->segments[i].base, model.content + at, chain->segments[i].length_bytes);
        else
            memcpy(model.content + at, chain->segments[i].base, chain->segments[i].length_bytes);
        at += chain->segments[i].length_bytes;
    }
    CHECK(chain->nr > 2 && at % 512 == 0);
    return VIRTIO_BLK_S_OK;
}

static uint8_t change_range(const struct model_chain *chain, const struct virtio_blk_header *header)
{
    const struct virtio_blk_range *range = (const void *)chain->segments[1].base;

    CHECK(header->sector == 0 && chain->nr == 3 && chain->nr_readable == 2);
    CHECK(chain->segments[1].length_bytes == sizeof(*range) && range->flags == 0 && range->nr_sectors > 0);
    CHECK(range->sector + range->nr_sectors <= MODEL_SECTORS);
    memset(model.content + range->sector * 512, 0, (size_t)range->nr_sectors * 512);
    return VIRTIO_BLK_S_OK;
}

static uint8_t execute(const struct model_chain *chain)
{
    const struct virtio_blk_header *header = (const void *)chain->segments[0].base;

    CHECK(chain->segments[0].length_bytes == sizeof(*header) && chain->nr_readable >= 1);
    CHECK(chain->segments[chain->nr - 1].length_bytes == 1 && chain->nr > chain->nr_readable);
    switch (header->type) {
    case VIRTIO_BLK_T_IN:
    case VIRTIO_BLK_T_OUT:
        if (model.fail_sector >= 0 && header->sector == (uint64_t)model.fail_sector)
            return (uint8_t)model.fail_status;
        return transfer(chain, header);
    case VIRTIO_BLK_T_FLUSH:
        CHECK(chain->nr == 2 && header->sector == 0);
        model.nr_flushes++;
        return VIRTIO_BLK_S_OK;
    case VIRTIO_BLK_T_GET_ID:
        CHECK(chain->nr == 3 && chain->segments[1].length_bytes == VIRTIO_BLK_ID_BYTES);
        memcpy(chain->segments[1].base, model.id, VIRTIO_BLK_ID_BYTES);
        return VIRTIO_BLK_S_OK;
    case VIRTIO_BLK_T_DISCARD:
    case VIRTIO_BLK_T_WRITE_ZEROES:
        return change_range(chain, header);
    }
    return VIRTIO_BLK_S_UNSUPP;
}

static void return_one(void)
{
    unsigned n = (unsigned)random_below(&model.random, model.nr_held);
    struct model_chain chain = model.held[n];
    int status = execute(&chain);
    struct virtio_model *ring;

    if (model.next_status >= 0)
        status = model.next_status;
    model.next_status = -1;
    if (status != MODEL_NO_STATUS)
        *chain.segments[chain.nr - 1].base = (uint8_t)status;
    model.nr_requests++;
    ring = &model.rings[model.held_from[n]];
    model.held[n] = model.held[--model.nr_held];
    model.held_from[n] = model.held_from[model.nr_held];
    model_return(ring, &chain, model_writable_bytes(&chain));
}

void blk_model_run(void)
{
    for (unsigned i = 0; i < model.nr_rings; i++)
        while (model_take(&model.rings[i], &model.held[model.nr_held]))
            model.held_from[model.nr_held++] = i;
    while (!model.is_paused && model.nr_held > 0)
        return_one();
    for (unsigned i = 0; i < model.nr_rings; i++)
        if (model_must_interrupt(&model.rings[i]) && model.interrupts.queue)
            model.interrupts.queue(model.queue_contexts[i]);
    if (disk && disk->operations->poll)
        disk->operations->poll(disk);
    blk_model_run_deferred();
}

/* ---- what the driver calls ---- */

uint64_t clock_now_ns(void)
{
    return now_ns += 1000; /* so that whoever waits for time to pass sees it pass */
}

void timer_init(struct timer *which, timer_function function)
{
    *which = (struct timer){.function = function};
}

static struct timer **find_timer(const struct timer *which)
{
    for (unsigned i = 0; i < MODEL_QUEUES; i++)
        if (timers[i] == which)
            return &timers[i];
    return NULL;
}

void timer_set(struct timer *which, uint64_t deadline_ns)
{
    struct timer **place = find_timer(which);

    place = place ? place : find_timer(NULL);
    CHECK(place != NULL);
    which->deadline_ns = deadline_ns;
    *place = which;
}

bool timer_cancel(struct timer *which)
{
    struct timer **place = find_timer(which);

    if (place)
        *place = NULL;
    return place != NULL;
}

void blk_model_pass_time(uint64_t ns)
{
    now_ns += ns;
    for (unsigned i = 0; i < MODEL_QUEUES; i++) {
        struct timer *due = timers[i];

        if (due && due->deadline_ns <= now_ns) {
            timers[i] = NULL;
            due->function(due);
        }
    }
    blk_model_run_deferred();
}

void deferred_queue(struct deferred *work)
{
    CHECK(deferred == NULL || deferred == work);
    deferred = work;
}

void blk_model_run_deferred(void)
{
    while (deferred) {
        struct deferred *work = deferred;

        deferred = NULL;
        work->run(work);
    }
}

void sleep_ns(uint64_t delay_ns)
{
    CHECK(false); /* the model ends every reset at once */
}

void deferred_flush(struct deferred *work)
{
    CHECK(deferred == NULL || deferred == work);
    blk_model_run_deferred();
}

uint32_t percpu_nr_cpus(void)
{
    return model.nr_cpus;
}

struct device *device_get(struct device *device)
{
    device->references.value++;
    return device;
}

void device_put(struct device *device)
{
    device->references.value--;
}

int device_set_data(struct device *device, void *data)
{
    device->driver_data = data;
    return 0;
}

void device_clear_data(struct device *device)
{
    device->driver_data = NULL;
}

void driver_register(struct driver *which)
{
    driver = which;
}

const char *error_text(int error)
{
    return "an error";
}

void block_device_choose_name(struct block_device *device, const char *prefix)
{
    snprintf(device->name, sizeof(device->name), "%sa", prefix);
}

int block_device_register(struct block_device *device)
{
    if (device->limits.max_segments == 0 || device->limits.max_segment_bytes < 512 / device->limits.max_segments)
        return -EINVAL;
    disk = device;
    return 0;
}

void block_device_unregister(struct block_device *device)
{
    CHECK(device == disk);
    model.nr_released++;
    disk = NULL;
    device->operations->release(device);
}

void block_device_resized(struct block_device *device, uint64_t nr_sectors)
{
    device->nr_sectors = nr_sectors;
}

static void note_done(struct block_request *request)
{
    *(bool *)request->context = true;
}

int block_execute_unchecked(struct block_device *device, struct block_request *request)
{
    bool is_done = false;

    request->complete = note_done;
    request->context = &is_done;
    device->operations->submit(device, request);
    while (!is_done)
        blk_model_run();
    return request->result;
}

int block_flush(struct block_device *device)
{
    struct block_request request = {.operation = BLOCK_FLUSH};

    return block_execute_unchecked(device, &request);
}

/* ---- the test's ---- */

void blk_model_set_up(uint16_t ring_size, uint64_t ring_features, bool has_interrupts)
{
    memset(&model, 0, sizeof(model));
    disk = NULL;
    deferred = NULL;
    memset(timers, 0, sizeof(timers));
    model.nr_cpus = 1;
    model.virtio.transport = &transport;
    model.virtio.name = "00:03.0";
    model.ring_size = ring_size;
    model.has_interrupts = has_interrupts;
    model.resets = true;
    model.fail_sector = model.next_status = -1;
    model.random = 88172645463325252ull + ring_size;
    model.offers = VIRTIO_F_VERSION_1 | ring_features | VIRTIO_BLK_F_SEG_MAX | VIRTIO_BLK_F_BLK_SIZE |
                   VIRTIO_BLK_F_FLUSH | VIRTIO_BLK_F_CONFIG_WCE | VIRTIO_BLK_F_DISCARD | VIRTIO_BLK_F_WRITE_ZEROES;
    model.config = (struct virtio_blk_config){.capacity = MODEL_SECTORS,
                                              .seg_max = 6,
                                              .blk_size = 512,
                                              .writeback = 1,
                                              .max_discard_sectors = 64,
                                              .max_discard_seg = 1,
                                              .max_write_zeroes_sectors = 32,
                                              .max_write_zeroes_seg = 1};
    memcpy(model.id, "twenty bytes, no end", VIRTIO_BLK_ID_BYTES);
    virtio_blk_init();
}

int blk_model_probe(void)
{
    return driver->probe(&model.virtio.device);
}

void blk_model_remove(void)
{
    driver->remove(&model.virtio.device);
}

struct block_device *blk_model_disk(void)
{
    return disk;
}
