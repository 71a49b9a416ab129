/* What may take long, and is not done in an interrupt handler: a changed configuration, and giving a device up, whose
 * reset may take a second.
 *
 * B6: `todo` holds what is to be done. Who adds QUEUED to it queues the work, which takes QUEUED away when it finds
 * nothing left: so it is queued, or runs, once. CLOSED stays for good, and nothing is added after it. */
#include "blk.h"

#include <debug/log.h>

#define QUEUED (1u << 8)
#define CLOSED BLK_WORK_CLOSED

/* ---- giving up ---- */

static void stop(struct blk *blk)
{
    for (unsigned i = 0; i < blk->nr_queues; i++)
        blk_queue_set_stopped(&blk->queues[i], true);
}

static const char *fault_of(const struct blk *blk)
{
    for (unsigned i = 0; i < blk->nr_queues; i++)
        if (blk->queues[i].queue.ring.fault != VIRTQUEUE_SOUND)
            return virtqueue_fault_name(blk->queues[i].queue.ring.fault);
    return "the device asks for a reset, or has gone";
}

/* B5 */
static void give_up(struct blk *blk, const char *why)
{
    if (blk->is_failed)
        return;
    log_error("%s: virtio %s: %s: marked failed, its requests end with I/O errors", blk->block.name, blk->device->name,
              why);
    __atomic_store_n(&blk->is_failed, true, __ATOMIC_RELAXED);
    stop(blk);
    virtio_reset(blk->device); /* whatever comes of it, the memory is ours again */
    virtio_fail(blk->device);
    for (unsigned i = 0; i < blk->nr_queues; i++)
        blk_queue_end_all(&blk->queues[i]);
}

/* ---- the configuration ---- */

static void take_new_size(struct blk *blk)
{
    struct virtio_blk_config config;
    uint64_t nr_sectors;

    if (blk_read_config(blk, &config) != 0)
        return;
    nr_sectors = config.capacity >> blk->properties.sector_shift;
    if (nr_sectors != __atomic_load_n(&blk->block.nr_sectors, __ATOMIC_RELAXED))
        block_device_resized(&blk->block, nr_sectors);
}

void blk_config_changed(void *context)
{
    blk_work_add(context, BLK_WORK_CONFIG);
}

/* ---- work ---- */

static void do_work(struct blk *blk, unsigned what)
{
    if (what & BLK_WORK_CONFIG && !blk->is_failed) {
        if (virtio_is_broken(blk->device))
            what |= BLK_WORK_FAULT;
        else
            take_new_size(blk);
    }
    if (what & BLK_WORK_FAULT)
        give_up(blk, fault_of(blk));
    if (what & BLK_WORK_SILENT && !blk_watch_answers(blk))
        give_up(blk, "the device does not answer");
}

static void run(struct deferred *deferred)
{
    struct blk *blk = CONTAINER_OF(deferred, struct blk, work);
    unsigned nothing, left;

    do {
        /* Acquire: pairs with the release in blk_work_add. */
        do_work(blk, __atomic_fetch_and(&blk->todo, QUEUED | CLOSED, __ATOMIC_ACQUIRE));
        nothing = QUEUED;
        left = __atomic_load_n(&blk->todo, __ATOMIC_RELAXED);
        if (left & CLOSED)
            nothing |= CLOSED;
        /* Release: pairs with the load in blk_work_close, after which the device may go. */
    } while (!__atomic_compare_exchange_n(&blk->todo, &nothing, nothing & CLOSED, false, __ATOMIC_RELEASE,
                                          __ATOMIC_RELAXED));
}

void blk_work_init(struct blk *blk)
{
    blk->work = (struct deferred)DEFERRED_INITIALIZER(run);
}

void blk_work_add(struct blk *blk, unsigned what)
{
    unsigned before = __atomic_load_n(&blk->todo, __ATOMIC_RELAXED);

    do {
        if (before & CLOSED)
            return;
        /* Release: pairs with the acquire in run. */
    } while (!__atomic_compare_exchange_n(&blk->todo, &before, before | what | QUEUED, false, __ATOMIC_RELEASE,
                                          __ATOMIC_RELAXED));
    if (before & QUEUED)
        return;
    if (blk->is_polled)
        run(&blk->work); /* in the thread that polls: no interrupt would come to run what is deferred */
    else
        deferred_queue(&blk->work);
}

void blk_work_close(struct blk *blk)
{
    __atomic_fetch_or(&blk->todo, CLOSED, __ATOMIC_RELAXED);
    do
        deferred_flush(&blk->work);
    while (__atomic_load_n(&blk->todo, __ATOMIC_ACQUIRE) & QUEUED); /* pairs with the release in run */
    deferred_flush(&blk->work); /* another CPU may have run it to its end since, and still hold it */
}
