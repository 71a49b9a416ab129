/* A queue of a device: a ring in memory of its own, known to the device. Locking as virtio/virtqueue.h says. */
#pragma once

#include <virtio/device.h>
#include <virtio/virtqueue.h>

struct virtio_queue {
    struct virtqueue ring;
    struct virtio_device *device;   /* [I] */
    uint16_t index;                 /* [I] */
    struct virtqueue_memory memory; /* [I] */
    unsigned order;                 /* [I] of the ring's pages */
};

/* Allocates a ring of at most max_size with the features agreed on, and shows it to the device. Chains up to
 * max_segments go into indirect tables where there are such. Returns 0; -ENODEV when the device has no such queue;
 * -EINVAL for a size that it cannot have; -ENOMEM; the transport's errors. Context: thread. */
MUST_CHECK int virtio_queue_create(struct virtio_queue *queue, struct virtio_device *device, uint16_t index,
                                   uint16_t max_size, uint16_t max_segments);

/* Gives the memory back. The device has been reset and no chain is in flight. Nothing happens to a queue that is all
 * zero or whose creation failed. Context: thread. */
void virtio_queue_destroy(struct virtio_queue *queue);

/* Notifies the device if it wants to be. */
void virtio_queue_notify(struct virtio_queue *queue);
