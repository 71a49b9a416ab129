/* A virtqueue in host memory with a model device behind it, for every combination of format and features. */
#pragma once

#include <virtio/virtqueue.h>

#include "virtio_device.h"

struct queue_fixture {
    struct virtqueue queue;
    struct virtio_model device;
    struct virtqueue_memory memory;
    uint64_t random;
};

/* Sets up an empty ring in memory of exactly the planned sizes, so that one byte past them is found. */
void queue_set_up(struct queue_fixture *fixture, const struct virtqueue_config *config);
void queue_tear_down(struct queue_fixture *fixture);

/* The ring anew in the same memory, as after a reset. */
void queue_start_anew(struct queue_fixture *fixture);

/* Calls test for {split, packed} x {event index} x {indirect} x sizes {4, 8, 256, 1024}, and sizes only a packed ring
 * may have. */
void queue_for_each_config(void (*test)(const struct virtqueue_config *config));
