/* Entropy devices: what they give goes into the random pool. One request at a time; the device decides how long an
 * answer is. The interrupt leaves everything to deferred work, so a device that lies is reset with interrupts on. */
#include <virtio/rng.h>

#include <base/errno.h>
#include <debug/command.h>
#include <debug/console.h>
#include <debug/log.h>
#include <dev/random.h>
#include <hw/virtio.h>
#include <irq/deferred.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <mm/physmap.h>
#include <sync/spinlock.h>
#include <virtio/bus.h>
#include <virtio/queue.h>

#define BUFFER_BYTES 64u
#define QUEUE_SIZE   4u

struct rng {
    struct virtio_device *device; /* [I] */
    struct virtio_queue queue;    /* [l] */
    struct spinlock lock;         /* interrupts take it */
    struct deferred completed;
    uint8_t *buffer;   /* the device's while in_flight */
    bool is_in_flight; /* [l] */
    bool is_failed;    /* [l] */
    uint64_t nr_bytes; /* [l] received */
    struct list link;  /* [rngs_lock] */
};

static struct spinlock rngs_lock = SPINLOCK_INITIALIZER("list of entropy devices");
static struct list rngs = LIST_INITIALIZER(rngs);

static void ask_locked(struct rng *rng)
{
    struct virtqueue_segment segment = {physmap_to_phys(rng->buffer), BUFFER_BYTES};

    if (rng->is_in_flight || rng->is_failed || virtqueue_add(&rng->queue.ring, &segment, 0, 1, rng) != 0)
        return;
    rng->is_in_flight = true;
    virtio_queue_notify(&rng->queue);
}

static void take_locked(struct rng *rng, uint32_t length_bytes)
{
    rng->is_in_flight = false;
    rng->nr_bytes += length_bytes;
    random_add(rng->buffer, length_bytes, length_bytes * 8);
    memset(rng->buffer, 0, BUFFER_BYTES);
    if (length_bytes > 0 && rng->nr_bytes < BUFFER_BYTES)
        ask_locked(rng); /* a short answer: until the pool could be seeded by it alone */
}

static void fail_locked(struct rng *rng)
{
    log_error("virtio %s: %s: marked failed", rng->device->name, virtqueue_fault_name(rng->queue.ring.fault));
    rng->is_failed = true;
    if (virtio_reset(rng->device) != -ETIMEDOUT)
        rng->is_in_flight = virtqueue_detach(&rng->queue.ring) == NULL && rng->is_in_flight;
    virtio_fail(rng->device);
}

static void reap(struct deferred *deferred)
{
    struct rng *rng = CONTAINER_OF(deferred, struct rng, completed);
    uint64_t flags = spinlock_lock_irqsave(&rng->lock);
    uint32_t length_bytes;
    void *token;
    int result = 0;

    do {
        virtqueue_disable_interrupts(&rng->queue.ring);
        while (!rng->is_failed && (result = virtqueue_reap(&rng->queue.ring, &token, &length_bytes)) > 0)
            take_locked(rng, length_bytes);
    } while (result == 0 && virtqueue_enable_interrupts(&rng->queue.ring));
    if (result < 0 && !rng->is_failed)
        fail_locked(rng);
    spinlock_unlock_irqrestore(&rng->lock, flags);
}

static void interrupted(void *context)
{
    deferred_queue(&((struct rng *)context)->completed);
}

static void list_rng(struct rng *rng, bool is_added)
{
    uint64_t flags = spinlock_lock_irqsave(&rngs_lock);

    if (is_added)
        list_add_last(&rngs, &rng->link);
    else
        list_remove(&rng->link);
    spinlock_unlock_irqrestore(&rngs_lock, flags);
}

static int start(struct rng *rng)
{
    struct virtio_device *device = rng->device;
    void *const contexts[] = {rng};
    const struct virtio_interrupts wanted = {.nr_queues = 1, .queue = interrupted, .contexts = contexts};
    int result = virtio_negotiate(device, 0, 0);

    if (result != 0)
        return result;
    result = device->transport->interrupts_request(device, &wanted);
    if (result != 0)
        goto fail;
    result = virtio_queue_create(&rng->queue, device, 0, QUEUE_SIZE, 1);
    if (result != 0)
        goto release_interrupts;
    result = virtio_start(device);
    if (result != 0)
        goto destroy_queue;
    return 0;

destroy_queue:
    if (virtio_reset(device) != -ETIMEDOUT) /* else the ring's memory is the device's for good */
        virtio_queue_destroy(&rng->queue);
release_interrupts:
    device->transport->interrupts_release(device);
fail:
    virtio_fail(device);
    return result;
}

static int probe(struct device *device)
{
    struct rng *rng = kmalloc(sizeof(*rng), ALLOC_ZERO);
    int result = -ENOMEM;
    uint64_t flags;

    if (rng == NULL)
        return -ENOMEM;
    spinlock_init(&rng->lock, "entropy device");
    rng->device = virtio_device_of(device);
    rng->completed = (struct deferred)DEFERRED_INITIALIZER(reap);
    rng->buffer = kmalloc(BUFFER_BYTES, ALLOC_ZERO);
    if (rng->buffer != NULL)
        result = start(rng);
    if (result != 0) {
        kfree(rng->buffer);
        kfree(rng);
        return result;
    }
    device->driver_data = rng;
    list_rng(rng, true);
    flags = spinlock_lock_irqsave(&rng->lock);
    ask_locked(rng);
    spinlock_unlock_irqrestore(&rng->lock, flags);
    return 0;
}

static void remove(struct device *device)
{
    struct rng *rng = device->driver_data;
    bool is_ours = virtio_reset(rng->device) != -ETIMEDOUT;

    list_rng(rng, false);
    rng->device->transport->interrupts_release(rng->device);
    virtqueue_stop(&rng->queue.ring);
    if (!is_ours)
        return; /* a device that does not end its reset may still write: its memory is lost */
    while (virtqueue_detach(&rng->queue.ring) != NULL)
        ;
    virtio_queue_destroy(&rng->queue);
    kfree(rng->buffer);
    kfree(rng);
}

static const virtio_match matches[] = {VIRTIO_ID_ENTROPY, 0};
static struct driver driver = {
    .name = "virtio-rng", .bus = &virtio_bus, .matches = matches, .probe = probe, .remove = remove};

void virtio_rng_init(void)
{
    driver_register(&driver);
}

/* ---- rng ---- */

static void print_rng(struct rng *rng)
{
    uint64_t flags = spinlock_lock_irqsave(&rng->lock);
    uint64_t nr_bytes = rng->nr_bytes;
    const char *state = rng->is_failed ? "failed" : rng->is_in_flight ? "waiting" : "idle";

    ask_locked(rng); /* for the next time */
    spinlock_unlock_irqrestore(&rng->lock, flags);
    console_printf("%s: %s, %s ring of %u, %s, %lu bytes received\n", rng->device->name,
                   rng->device->is_legacy ? "legacy" : "modern",
                   rng->queue.ring.config.format == VIRTQUEUE_SPLIT ? "split" : "packed", rng->queue.ring.config.size,
                   state, nr_bytes);
}

static int run_rng(int argc, char **argv)
{
    struct rng *rng;

    (void)argv;
    if (argc > 1)
        return -E2BIG;
    if (list_is_empty(&rngs))
        console_printf("there are no entropy devices\n");
    list_for_each_entry (rng, &rngs, link)
        print_rng(rng);
    return 0;
}

COMMAND(rng, .name = "rng", .arguments = "", .summary = "entropy devices, and what they gave", .run = run_rng,
        .details = "Asks each device for more, too.");
