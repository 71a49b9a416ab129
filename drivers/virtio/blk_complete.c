/* Requests on their way back. What the device has finished is taken from the ring under the queue's lock, and completed
 * without it (B4). */
#include "blk.h"

#include <base/errno.h>

/* Requests to be completed, chained by link.next. */
struct done {
    struct list *first, **end;
};

static void done_add(struct done *done, struct block_request *request, int result)
{
    request->result = result;
    request->link.next = NULL;
    *done->end = &request->link;
    done->end = &request->link.next;
}

static void complete_all(const struct done *done)
{
    for (struct list *link = done->first, *next; link != NULL; link = next) {
        struct block_request *request = list_entry(link, struct block_request, link);

        next = link->next; /* the request is its submitter's again, and may be gone */
        request->complete(request);
    }
}

static void free_slot_locked(struct blk_queue *queue, struct blk_slot *slot)
{
    slot->next_free = queue->free;
    queue->free = slot;
}

/* The chain of this slot has come back. */
static void finish_locked(struct blk_queue *queue, struct blk_slot *slot, struct done *done)
{
    uint8_t status = READ_ONCE(slot->shared->status);
    int result = LIKELY(status == VIRTIO_BLK_S_OK) ? 0 : blk_status_error(status);

    queue->nr_done++;
    if (UNLIKELY(slot->must_flush) && result == 0) {
        if (blk_submit_flush_locked(queue, slot))
            return;
        result = -EIO; /* the ring is broken: there was room where the write has been */
    }
    free_slot_locked(queue, slot);
    done_add(done, slot->request, result);
}

/* -EIO when the ring is broken. */
static int reap_locked(struct blk_queue *queue, struct done *done)
{
    struct virtqueue *ring = &queue->queue.ring;
    uint32_t length_bytes; /* of no interest: the status says whether all data came */
    void *slot;
    int result;

    do {
        if (!ring->config.has_event_index) /* with it a device that has interrupted is silent until asked again */
            virtqueue_disable_interrupts(ring);
        do { /* with nothing in flight there is no need to look; a lie is found by the next look */
            result = virtqueue_reap(ring, &slot, &length_bytes);
            if (result > 0)
                finish_locked(queue, slot, done);
        } while (result > 0 && ring->nr_in_flight != 0);
    } while (result >= 0 && virtqueue_enable_interrupts(ring));
    if (UNLIKELY(!list_is_empty(&queue->waiting)))
        blk_submit_waiting_locked(queue);
    if (UNLIKELY(ring->nr_unannounced != 0))
        virtio_queue_notify(&queue->queue);
    return result;
}

NO_CANARY void blk_reap(void *context)
{
    struct blk_queue *queue = context;
    struct done done = {NULL, &done.first};
    uint64_t flags = spinlock_lock_irqsave(&queue->lock);
    int result = 0;

    if (LIKELY(!queue->is_stopped))
        result = reap_locked(queue, &done);
    if (UNLIKELY(result < 0))
        queue->is_stopped = true;
    spinlock_unlock_irqrestore(&queue->lock, flags);
    if (UNLIKELY(result < 0))
        blk_work_add(queue->blk, BLK_WORK_FAULT);
    complete_all(&done);
}

void blk_poll(struct block_device *device)
{
    struct blk *blk = blk_of(device);

    for (unsigned i = 0; i < blk->nr_queues; i++) {
        blk_reap(&blk->queues[i]);
        blk_watch_poll(&blk->queues[i]);
    }
}

void blk_queue_end_all(struct blk_queue *queue)
{
    struct done done = {NULL, &done.first};
    uint64_t flags = spinlock_lock_irqsave(&queue->lock);
    struct blk_slot *slot;
    struct list *node;

    virtqueue_stop(&queue->queue.ring);
    while ((slot = virtqueue_detach(&queue->queue.ring)) != NULL) {
        free_slot_locked(queue, slot);
        done_add(&done, slot->request, -EIO);
    }
    while ((node = list_first(&queue->waiting)) != NULL) {
        list_remove(node);
        done_add(&done, list_entry(node, struct block_request, link), -EIO);
    }
    spinlock_unlock_irqrestore(&queue->lock, flags);
    complete_all(&done);
}
