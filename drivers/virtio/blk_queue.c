/* The queues of a block device: their memory, and being stopped. */
#include "blk.h"

#include <base/errno.h>
#include <debug/log.h>
#include <mm/kmalloc.h>
#include <mm/physmap.h>

static void make_slots(struct blk_queue *queue, unsigned nr)
{
    for (unsigned i = 0; i < nr; i++) {
        struct blk_slot *slot = &queue->slots[i];

        slot->shared = &queue->shared[i];
        slot->shared_base = physmap_to_phys(slot->shared);
        slot->next_free = queue->free;
        queue->free = slot;
    }
}

static int allocate(struct blk_queue *queue, unsigned nr)
{
    queue->slots = kmalloc(nr * sizeof(*queue->slots), ALLOC_ZERO);
    queue->shared = kmalloc(nr * sizeof(*queue->shared), ALLOC_ZERO);
    queue->segments = kmalloc((BLK_SEGMENTS_MAX + BLK_SEGMENTS_MORE) * sizeof(*queue->segments), ALLOC_ZERO);
    if (queue->slots == NULL || queue->shared == NULL || queue->segments == NULL)
        return -ENOMEM;
    make_slots(queue, nr);
    return 0;
}

int blk_queue_create(struct blk_queue *queue, struct blk *blk, uint16_t index)
{
    struct block_limits *limits = &blk->properties.limits;
    uint32_t max_segments = limits->max_segments < BLK_SEGMENTS_MAX ? limits->max_segments : BLK_SEGMENTS_MAX;
    unsigned ring_segments;
    int result = virtio_queue_create(&queue->queue, blk->device, index, BLK_QUEUE_SIZE_MAX,
                                     (uint16_t)(max_segments + BLK_SEGMENTS_MORE));

    if (result != 0)
        return result;
    ring_segments = virtqueue_max_segments(&queue->queue.ring);
    if (ring_segments <= BLK_SEGMENTS_MORE) {
        log_error("virtio %s: a ring of %u has no room for a request: refused", blk->device->name, ring_segments);
        return -ENOTSUP;
    }
    if (max_segments > ring_segments - BLK_SEGMENTS_MORE)
        max_segments = ring_segments - BLK_SEGMENTS_MORE;
    limits->max_segments = max_segments; /* of all queues, the least */
    return allocate(queue, queue->queue.ring.config.size);
}

void blk_queue_destroy(struct blk_queue *queue)
{
    virtio_queue_destroy(&queue->queue);
    kfree(queue->slots);
    kfree(queue->shared);
    kfree(queue->segments);
}

void blk_queue_set_stopped(struct blk_queue *queue, bool is_stopped)
{
    uint64_t flags = spinlock_lock_irqsave(&queue->lock);

    queue->is_stopped = is_stopped;
    spinlock_unlock_irqrestore(&queue->lock, flags);
}
