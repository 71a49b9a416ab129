/* Taking a block device, and giving it back. */
#include <virtio/blk.h>

#include <base/errno.h>
#include <cpu/percpu.h>
#include <debug/log.h>
#include <hw/virtio.h>
#include <lib/error_name.h>
#include <lib/list.h>
#include <mm/kmalloc.h>
#include <virtio/bus.h>

#include "blk.h"

static void release(struct block_device *device)
{
    struct blk *blk = blk_of(device);
    struct device *bus_device = &blk->device->device;

    for (unsigned i = 0; i < blk->nr_queues; i++)
        blk_queue_destroy(&blk->queues[i]);
    kfree(blk);
    device_put(bus_device);
}

static const struct block_operations operations = {
    .submit = blk_submit, .identify = blk_identify, .set_write_back = blk_set_write_back, .release = release};

static const struct block_operations polled_operations = {.submit = blk_submit,
                                                          .identify = blk_identify,
                                                          .set_write_back = blk_set_write_back,
                                                          .poll = blk_poll,
                                                          .release = release};

/* ---- probe ---- */

/* Agrees with the device and makes sense of its configuration. */
static int negotiate(struct virtio_device *device, struct blk_properties *properties)
{
    struct virtio_blk_config config = {0};
    int result = virtio_negotiate(device, BLK_FEATURES, 0);

    if (result != 0)
        return result;
    result = virtio_read_config(device, 0, &config, blk_config_length(device->features));
    if (result == 0)
        result = blk_parse_config(&config, device->features, properties);
    if (result == -ENOTSUP)
        log_error("virtio %s: blocks of %u bytes: refused", device->name, config.blk_size);
    else if (result != 0)
        log_error("virtio %s: its configuration is too short, or never holds still: refused", device->name);
    if (result != 0)
        virtio_fail(device);
    return result;
}

static struct blk *allocate(struct virtio_device *device, const struct blk_properties *properties)
{
    uint32_t nr_cpus = percpu_nr_cpus();
    unsigned nr_queues = properties->nr_queues < nr_cpus ? properties->nr_queues : nr_cpus;
    struct blk *blk = kmalloc(sizeof(*blk) + nr_queues * sizeof(blk->queues[0]), ALLOC_ZERO);

    if (blk == NULL)
        return NULL;
    (void)device_get(&device->device); /* who holds the disk may look at its queues: release gives it back */
    blk->device = device;
    blk->properties = *properties;
    blk->nr_queues = nr_queues;
    spinlock_init(&blk->config_lock, "block device configuration");
    blk_work_init(blk);
    for (unsigned i = 0; i < nr_queues; i++) {
        struct blk_queue *queue = &blk->queues[i];

        queue->blk = blk;
        queue->is_stopped = true;
        list_init(&queue->waiting);
        spinlock_init(&queue->lock, "block device queue");
        blk_watch_init(queue);
    }
    return blk;
}

/* Without an interrupt the device is polled. */
static int request_interrupts(struct blk *blk)
{
    void **contexts = kmalloc(blk->nr_queues * sizeof(*contexts), ALLOC_NORMAL);
    struct virtio_interrupts wanted = {.nr_queues = blk->nr_queues,
                                       .is_per_cpu = blk->nr_queues > 1, /* one queue is nobody's */
                                       .queue = blk_reap,
                                       .contexts = contexts,
                                       .config_changed = blk_config_changed,
                                       .config_context = blk};
    int result;

    if (contexts == NULL)
        return -ENOMEM;
    for (unsigned i = 0; i < blk->nr_queues; i++)
        contexts[i] = &blk->queues[i];
    result = blk->device->transport->interrupts_request(blk->device, &wanted);
    kfree(contexts);
    if (result == -ENOMEM)
        return result;
    blk->is_polled = result != 0;
    if (blk->is_polled)
        log_warn("virtio %s: no interrupt (%s): it is polled", blk->device->name, error_text(result));
    return 0;
}

static void describe(struct blk *blk)
{
    const struct blk_properties *properties = &blk->properties;

    blk->block.nr_sectors = properties->nr_sectors;
    blk->block.is_read_only = properties->is_read_only;
    blk->block.is_write_back = properties->is_write_back;
    block_device_choose_name(&blk->block, "vd");
}

/* From a device that is agreed with to one that takes requests. */
static int start(struct blk *blk)
{
    int result;

    describe(blk); /* before its configuration can change */
    result = request_interrupts(blk);
    for (unsigned i = 0; i < blk->nr_queues && result == 0; i++)
        result = blk_queue_create(&blk->queues[i], blk, (uint16_t)i);
    if (result == 0)
        result = virtio_start(blk->device);
    for (unsigned i = 0; i < blk->nr_queues && result == 0; i++)
        blk_queue_set_stopped(&blk->queues[i], false);
    return result;
}

/* Ends all use of the device (B5): its registers are not touched afterwards, nor its memory by it. */
static void stop(struct blk *blk)
{
    for (unsigned i = 0; i < blk->nr_queues; i++) {
        blk_queue_set_stopped(&blk->queues[i], true);
        timer_cancel(&blk->queues[i].watch);
    }
    blk_work_close(blk);
    virtio_reset(blk->device);
    blk->device->transport->interrupts_release(blk->device);
    for (unsigned i = 0; i < blk->nr_queues; i++)
        blk_queue_end_all(&blk->queues[i]);
}

static int probe(struct device *device)
{
    struct virtio_device *virtio = virtio_device_of(device);
    struct blk_properties properties;
    struct blk *blk;
    int result = negotiate(virtio, &properties);

    if (result != 0)
        return result;
    blk = allocate(virtio, &properties);
    if (blk == NULL) {
        virtio_fail(virtio);
        return -ENOMEM;
    }
    result = start(blk);
    if (result == 0)
        result = device_set_data(device, blk);
    if (result == 0) {
        blk->block.operations = blk->is_polled ? &polled_operations : &operations;
        blk->block.limits = blk->properties.limits;
        result = block_device_register(&blk->block);
    }
    if (result != 0) {
        device_clear_data(device);
        stop(blk);
        virtio_fail(virtio);
        release(&blk->block);
        return result;
    }
    return 0;
}

static void remove(struct device *device)
{
    struct blk *blk = device->driver_data;

    device_clear_data(device);
    stop(blk);
    block_device_unregister(&blk->block);
}

/* Whoever waits polls, and finds a device without interrupt silent. */
static void gone(struct device *device)
{
    struct blk *blk = device->driver_data;

    if (!blk->is_polled)
        blk_work_add(blk, BLK_WORK_FAULT);
}

static const virtio_match matches[] = {VIRTIO_ID_BLOCK, 0};
static struct driver driver = {
    .name = "virtio-blk", .bus = &virtio_bus, .matches = matches, .probe = probe, .remove = remove, .gone = gone};

void virtio_blk_init(void)
{
    driver_register(&driver);
}
