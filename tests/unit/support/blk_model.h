/* A model of a virtio block device for the driver on the host, written from the standard: its transport, its queue and
 * its disk; and the mocks of what the driver calls, so that a test says when an interrupt, a timer or deferred work
 * comes. */
#pragma once

#include <dev/block.h>
#include <dev/device.h>
#include <hw/virtio_blk.h>
#include <virtio/device.h>

#include "virtio_device.h"

#define MODEL_SECTORS 256u
#define MODEL_QUEUES  4u

#define MODEL_NO_STATUS 0x100 /* as next_status: none is written */

struct blk_model {
    struct virtio_device virtio;
    struct virtio_blk_config config;
    uint64_t offers;
    uint16_t ring_size;
    bool has_interrupts, resets;         /* what it can do */
    uint8_t status;                      /* of the device */
    unsigned nr_resets, nr_released;     /* resets asked for; block devices released */
    struct virtio_interrupts interrupts; /* the driver's handlers; queue is NULL when there are none */
    void *queue_contexts[MODEL_QUEUES];
    struct virtio_model rings[MODEL_QUEUES];
    unsigned nr_rings, nr_cpus;
    bool is_paused;                             /* it takes chains, and returns nothing */
    struct model_chain held[MODEL_SECTORS * 4]; /* taken and not returned */
    unsigned held_from[MODEL_SECTORS * 4];      /* the ring of each */
    unsigned nr_held;
    uint8_t content[MODEL_SECTORS * 512], id[VIRTIO_BLK_ID_BYTES];
    unsigned nr_flushes, nr_requests;
    int fail_sector, fail_status; /* a request at this sector ends with this status; -1: none */
    int next_status;              /* of the next request alone; -1: its own */
    uint64_t random;
};

extern struct blk_model model;

/* A device with this ring; everything else as QEMU's default. Forgets all that was before. */
void blk_model_set_up(uint16_t ring_size, uint64_t ring_features, bool has_interrupts);

/* The driver's probe and remove. */
int blk_model_probe(void);
void blk_model_remove(void);
/* The driver's block device; NULL when it has announced none. */
struct block_device *blk_model_disk(void);

/* The device takes what it was given, and returns what it holds, in any order; then its interrupt, if wanted. */
void blk_model_run(void);
/* Time passes: the timer that is due is called; then deferred work. */
void blk_model_pass_time(uint64_t ns);
/* Runs deferred work, as the end of an interrupt does. */
void blk_model_run_deferred(void);
