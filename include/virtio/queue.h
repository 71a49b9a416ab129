/* A queue of a device: a ring in memory of its own, known to the device. Locking as virtio/virtqueue.h says. */
#pragma once

#include <lib/list.h>
#include <virtio/device.h>
#include <virtio/virtqueue.h>

struct virtio_queue {
    struct virtqueue ring;
    struct virtio_device *device;   /* [I] */
    uint16_t index;                 /* [I] */
    struct virtqueue_memory memory; /* [I] */
    unsigned order;                 /* [I] of the ring's pages */
    uint64_t nr_notifications;      /* sent */
    struct list link;               /* [list of virtqueues] */
};

/* What a queue is and does, for the command `virtio`; counts may be a moment old. */
struct virtio_queue_figures {
    uint16_t index;
    struct virtqueue_config config;
    uint16_t nr_free, nr_in_flight;
    enum virtqueue_fault fault;
    uint64_t nr_notifications;
    struct virtio_wiring wiring;
};

/* Allocates a ring of at most max_size (a legacy device's has its own size) with the features agreed on, and shows it
 * to the device. Chains up to max_segments go into indirect tables, where there are such, once the ring fills up. Where
 * memory is short the ring of a modern device and the number of tables may be less: ring.config says. Returns 0;
 * -ENODEV when the device has no such queue; -EINVAL for a size that it cannot have; -ENOMEM; the transport's errors.
 * Context: thread. */
MUST_CHECK int virtio_queue_create(struct virtio_queue *queue, struct virtio_device *device, uint16_t index,
                                   uint16_t max_size, uint16_t max_segments);

/* Gives the memory back. The device has been reset and no chain is in flight. Nothing happens to a queue that is all
 * zero or whose creation failed. Context: thread. */
void virtio_queue_destroy(struct virtio_queue *queue);

/* Notifies the device if it wants to be. */
void virtio_queue_notify(struct virtio_queue *queue);

/* The device's n-th queue, false past the last. Context: thread. */
bool virtio_queue_look(const struct virtio_device *device, unsigned n, struct virtio_queue_figures *figures);
