/* Entropy devices: what they give goes into the random pool. One request at a time; the device decides how long an
 * answer is.
 *
 * 1. Interrupts, the timer and the pool that wants more only queue `work`, which does everything else, under the
 *    device's lock.
 * 2. The timer runs while a device without an interrupt has a request, and while a reset is under way; nothing waits.
 * 3. A device that lies, or says that it is broken, is reset: RESETTING. When it has ended that, gone or been cut off,
 *    its buffer is ours again and it is marked failed: FAILED, for good. */
#include <virtio/rng.h>

#include "rng.h"

#include <base/errno.h>
#include <debug/log.h>
#include <dev/random.h>
#include <hw/virtio.h>
#include <irq/deferred.h>
#include <lib/list.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <mm/physmap.h>
#include <sync/spinlock.h>
#include <time/clock.h>
#include <time/timer.h>
#include <virtio/bus.h>
#include <virtio/queue.h>

#define BUFFER_BYTES     64u
#define QUEUE_SIZE       4u
#define POLL_SHORTEST_NS NS_PER_MS
#define POLL_LONGEST_NS  NS_PER_S /* a device that has nothing for long is asked seldom */

struct rng {
    struct virtio_device *device; /* [I] */
    struct virtio_queue queue;    /* [l] */
    struct spinlock lock;         /* interrupts take it */
    struct deferred work;
    struct timer timer;
    bool has_interrupts;     /* [I] */
    bool has_config_changed; /* [a] */
    bool is_asked;           /* [a] the pool wants more */
    struct random_source source;
    uint8_t *buffer;      /* the device's while WAITING or RESETTING */
    enum rng_state state; /* [l] */
    uint64_t poll_ns;     /* [l] until the next look */
    uint64_t nr_bytes;    /* [l] received */
    struct list link;     /* [rngs_lock] */
};

static struct spinlock rngs_lock = SPINLOCK_INITIALIZER("list of entropy devices");
static struct list rngs = LIST_INITIALIZER(rngs); /* [rngs_lock] */

/* ---- requests ---- */

static void ask_locked(struct rng *rng)
{
    struct virtqueue_segment segment = {physmap_to_phys(rng->buffer), BUFFER_BYTES};

    if (rng->state != RNG_IDLE || virtqueue_add(&rng->queue.ring, &segment, 0, 1, rng) != 0)
        return;
    rng->state = RNG_WAITING;
    virtio_queue_notify(&rng->queue);
    if (rng->has_interrupts)
        return;
    rng->poll_ns = POLL_SHORTEST_NS;
    timer_set(&rng->timer, clock_now_ns() + rng->poll_ns);
}

static void take_locked(struct rng *rng, uint32_t length_bytes)
{
    rng->state = RNG_IDLE;
    rng->nr_bytes += length_bytes;
    random_add(rng->buffer, length_bytes, length_bytes * 8);
    memset(rng->buffer, 0, BUFFER_BYTES);
    if (length_bytes > 0 && rng->nr_bytes < BUFFER_BYTES)
        ask_locked(rng); /* a short answer: until the pool could be seeded by it alone */
}

/* Returns 0, or -EIO for a device that cannot go on. */
static int reap_locked(struct rng *rng)
{
    struct virtqueue *ring = &rng->queue.ring;
    uint32_t length_bytes;
    void *token;
    int result;

    if (__atomic_exchange_n(&rng->has_config_changed, false, __ATOMIC_ACQUIRE) && virtio_is_broken(rng->device))
        return -EIO;
    do {
        virtqueue_disable_interrupts(ring);
        while ((result = virtqueue_reap(ring, &token, &length_bytes)) > 0)
            take_locked(rng, length_bytes);
    } while (result == 0 && virtqueue_enable_interrupts(ring));
    return result;
}

/* ---- failure ---- */

static void begin_reset_locked(struct rng *rng)
{
    virtqueue_stop(&rng->queue.ring);
    rng->state = RNG_RESETTING;
    virtio_reset_begin(rng->device);
}

static void end_reset_locked(struct rng *rng)
{
    if (virtio_reset_poll(rng->device) == -EAGAIN)
        return;
    while (virtqueue_detach(&rng->queue.ring) != NULL)
        ; /* nobody waits for the request */
    virtio_fail(rng->device);
    rng->state = RNG_FAILED;
}

/* ---- the work ---- */

static void set_timer_locked(struct rng *rng)
{
    if (rng->state == RNG_RESETTING)
        rng->poll_ns = POLL_SHORTEST_NS;
    else if (rng->state != RNG_WAITING || rng->has_interrupts)
        return;
    timer_set(&rng->timer, clock_now_ns() + rng->poll_ns);
    if (rng->poll_ns < POLL_LONGEST_NS)
        rng->poll_ns *= 2;
}

static void step_locked(struct rng *rng)
{
    if (rng->state == RNG_RESETTING)
        end_reset_locked(rng);
    else if ((rng->state == RNG_IDLE || rng->state == RNG_WAITING) && reap_locked(rng) != 0)
        begin_reset_locked(rng);
    if (__atomic_exchange_n(&rng->is_asked, false, __ATOMIC_RELAXED) && rng->state == RNG_IDLE)
        ask_locked(rng);
    else
        set_timer_locked(rng);
}

static void work(struct deferred *deferred)
{
    struct rng *rng = CONTAINER_OF(deferred, struct rng, work);
    uint64_t flags = spinlock_lock_irqsave(&rng->lock);
    enum rng_state before = rng->state;

    step_locked(rng);
    enum rng_state after = rng->state;
    enum virtqueue_fault fault = rng->queue.ring.fault;
    spinlock_unlock_irqrestore(&rng->lock, flags);

    if (before == after)
        return;
    if (after == RNG_RESETTING)
        log_error("virtio %s: %s: reset", rng->device->name,
                  fault == VIRTQUEUE_STOPPED ? "the device says that it is broken" : virtqueue_fault_name(fault));
    if (after == RNG_FAILED)
        log_error("virtio %s: %s", rng->device->name,
                  rng->device->is_cut_off ? "does not end its reset: cut off" : "marked failed");
}

static void queue_interrupted(void *context)
{
    deferred_queue(&((struct rng *)context)->work);
}

static void config_changed(void *context)
{
    struct rng *rng = context;

    __atomic_store_n(&rng->has_config_changed, true, __ATOMIC_RELEASE);
    deferred_queue(&rng->work);
}

static void pool_asks(struct random_source *source)
{
    struct rng *rng = CONTAINER_OF(source, struct rng, source);

    __atomic_store_n(&rng->is_asked, true, __ATOMIC_RELAXED); /* queueing orders it before the work */
    deferred_queue(&rng->work);
}

static void timer_fired(struct timer *timer)
{
    deferred_queue(&CONTAINER_OF(timer, struct rng, timer)->work);
}

/* ---- probe and remove ---- */

static void request_interrupts(struct rng *rng)
{
    void *const contexts[] = {rng};
    const struct virtio_interrupts wanted = {.nr_queues = 1,
                                             .queue = queue_interrupted,
                                             .contexts = contexts,
                                             .config_changed = config_changed,
                                             .config_context = rng};

    rng->has_interrupts = rng->device->transport->interrupts_request(rng->device, &wanted) == 0;
    if (!rng->has_interrupts)
        log_info("virtio %s: has no interrupt: polled", rng->device->name);
}

/* No handler, timer or work is left afterwards, and nothing of ours is the device's. */
static void stop(struct rng *rng)
{
    uint64_t flags = spinlock_lock_irqsave(&rng->lock);

    rng->state = RNG_STOPPED;
    spinlock_unlock_irqrestore(&rng->lock, flags);
    virtio_reset(rng->device);
    if (rng->has_interrupts)
        rng->device->transport->interrupts_release(rng->device);
    timer_cancel(&rng->timer);
    deferred_flush(&rng->work);
}

static int start(struct rng *rng)
{
    struct virtio_device *device = rng->device;
    int result = virtio_negotiate(device, 0, 0);

    if (result != 0)
        return result;
    request_interrupts(rng);
    result = virtio_queue_create(&rng->queue, device, 0, QUEUE_SIZE, 1);
    if (result == 0)
        result = virtio_start(device);
    if (result == 0)
        return 0;
    stop(rng);
    virtio_queue_destroy(&rng->queue);
    virtio_fail(device);
    return result;
}

static void list_rng(struct rng *rng)
{
    uint64_t flags = spinlock_lock_irqsave(&rngs_lock);

    list_add_last(&rngs, &rng->link);
    spinlock_unlock_irqrestore(&rngs_lock, flags);
    flags = spinlock_lock_irqsave(&rng->lock);
    rng->state = RNG_IDLE;
    ask_locked(rng);
    spinlock_unlock_irqrestore(&rng->lock, flags);
    random_source_register(&rng->source);
}

static void unlist_rng(struct rng *rng)
{
    uint64_t flags;

    random_source_unregister(&rng->source);
    flags = spinlock_lock_irqsave(&rngs_lock);
    list_remove(&rng->link);
    spinlock_unlock_irqrestore(&rngs_lock, flags);
}

static void destroy(struct rng *rng)
{
    stop(rng);
    virtqueue_stop(&rng->queue.ring);
    while (virtqueue_detach(&rng->queue.ring) != NULL)
        ;
    virtio_queue_destroy(&rng->queue);
    kfree(rng->buffer);
    kfree(rng);
}

static int probe(struct device *device)
{
    struct rng *rng = kmalloc(sizeof(*rng), ALLOC_ZERO);
    int result = -ENOMEM;

    if (rng == NULL)
        return -ENOMEM;
    spinlock_init(&rng->lock, "entropy device");
    timer_init(&rng->timer, timer_fired);
    rng->device = virtio_device_of(device);
    rng->work = (struct deferred)DEFERRED_INITIALIZER(work);
    rng->source.ask = pool_asks;
    rng->buffer = kmalloc(BUFFER_BYTES, ALLOC_ZERO);
    if (rng->buffer != NULL)
        result = start(rng);
    if (result != 0) {
        kfree(rng->buffer);
        kfree(rng);
        return result;
    }
    result = device_set_data(device, rng);
    if (result != 0) {
        destroy(rng);
        return result;
    }
    list_rng(rng);
    return 0;
}

static void remove(struct device *device)
{
    struct rng *rng = device->driver_data;

    unlist_rng(rng);
    device_clear_data(device);
    destroy(rng);
}

static const virtio_match matches[] = {VIRTIO_ID_ENTROPY, 0};
static struct driver driver = {
    .name = "virtio-rng", .bus = &virtio_bus, .matches = matches, .probe = probe, .remove = remove};

void virtio_rng_init(void)
{
    driver_register(&driver);
}

/* ---- what there is ---- */

static void look_locked(struct rng *rng, struct rng_figures *figures)
{
    uint64_t flags = spinlock_lock_irqsave(&rng->lock);

    if (!rng->has_interrupts)
        step_locked(rng); /* the machine may have no timer either */
    *figures = (struct rng_figures){.state = rng->state,
                                    .is_legacy = rng->device->is_legacy,
                                    .is_packed = rng->queue.ring.config.format == VIRTQUEUE_PACKED,
                                    .is_polled = !rng->has_interrupts,
                                    .queue_size = rng->queue.ring.config.size,
                                    .nr_bytes = rng->nr_bytes};
    memcpy(figures->name, rng->device->device.name, sizeof(figures->name));
    ask_locked(rng); /* for the next time */
    spinlock_unlock_irqrestore(&rng->lock, flags);
}

bool rng_look(unsigned n, struct rng_figures *figures)
{
    uint64_t flags = spinlock_lock_irqsave(&rngs_lock);
    struct rng *rng;
    bool is_found = false;

    list_for_each_entry (rng, &rngs, link) {
        is_found = n-- == 0;
        if (is_found) {
            look_locked(rng, figures);
            break;
        }
    }
    spinlock_unlock_irqrestore(&rngs_lock, flags);
    return is_found;
}
