/* Requests on their way to the device. A ring without room makes them wait in the queue's list, never the caller. */
#include "blk.h"

#include <base/errno.h>
#include <cpu/percpu.h>

/* A CPU keeps to its queue, so that it meets no other CPU there. */
static NOINLINE struct blk_queue *choose_queue(struct blk *blk)
{
    return &blk->queues[this_cpu_read(percpu.cpu_number) % blk->nr_queues];
}

static ALWAYS_INLINE void take_slot_locked(struct blk_queue *queue, struct blk_slot *slot,
                                           struct block_request *request)
{
    queue->free = slot->next_free;
    slot->request = request;
    slot->must_flush = UNLIKELY(request->flags & BLOCK_FUA) && queue->blk->block.is_write_back;
    if (UNLIKELY(!queue->is_watched))
        blk_watch_start_locked(queue);
}

/* False when the ring has no room now. The request fits an empty ring: the limits say so. */
static ALWAYS_INLINE bool start_locked(struct blk_queue *queue, struct block_request *request)
{
    struct blk_slot *slot = queue->free;
    struct blk_chain chain;

    if (UNLIKELY(slot == NULL))
        return false;
    chain = blk_make_chain(request, queue->blk->properties.sector_shift, slot, queue->segments);
    if (virtqueue_add(&queue->queue.ring, queue->segments, chain.nr_readable, chain.nr_writable, slot) != 0)
        return false; /* full; or broken, and then the work that ends everything is under way (B5) */
    take_slot_locked(queue, slot, request);
    return true;
}

void blk_submit(struct block_device *device, struct block_request *request)
{
    struct blk *blk = blk_of(device);
    struct blk_queue *queue = blk->queues;
    uint64_t flags;

    if (UNLIKELY(blk->nr_queues > 1))
        queue = choose_queue(blk);
    flags = spinlock_lock_irqsave(&queue->lock);
    if (UNLIKELY(queue->is_stopped)) {
        spinlock_unlock_irqrestore(&queue->lock, flags);
        request->result = -EIO;
        request->complete(request);
        return;
    }
    if (LIKELY(list_is_empty(&queue->waiting)) && LIKELY(start_locked(queue, request)))
        virtio_queue_notify(&queue->queue);
    else
        list_add_last(&queue->waiting, &request->link);
    spinlock_unlock_irqrestore(&queue->lock, flags);
}

void blk_submit_waiting_locked(struct blk_queue *queue)
{
    struct list *node;

    while ((node = list_first(&queue->waiting)) != NULL) {
        if (!start_locked(queue, list_entry(node, struct block_request, link)))
            return;
        list_remove(node);
    }
}

bool blk_submit_flush_locked(struct blk_queue *queue, struct blk_slot *slot)
{
    struct blk_chain chain = blk_make_flush(slot, queue->segments);

    slot->must_flush = false;
    return virtqueue_add(&queue->queue.ring, queue->segments, chain.nr_readable, chain.nr_writable, slot) == 0;
}
