/* A model of a virtio device's side of a virtqueue, written from the standard and not from the driver. It checks what
 * the driver may get wrong (chains out of order, loops, tables outside a chain) and ends the program when it does.
 * Physical addresses are the host's pointers. One thread at a time; the driver's side may be another. */
#pragma once

#include <base/types.h>
#include <virtio/virtqueue.h>

#ifndef MODEL_SEGMENTS_MAX
#define MODEL_SEGMENTS_MAX 64
#endif

struct model_chain {
    uint16_t id;
    unsigned nr_slots; /* of the ring */
    unsigned nr, nr_readable;
    struct {
        uint8_t *base;
        uint32_t length_bytes;
    } segments[MODEL_SEGMENTS_MAX];
};

struct virtio_model {
    struct virtqueue_config config;
    void *descriptors, *driver_area, *device_area;
    uint16_t next_avail, next_used; /* split: indices; packed: slots */
    bool avail_wrap, used_wrap;     /* packed */
    uint32_t nr_silent;             /* returned (packed: slots) since the last model_must_interrupt */
};

void model_init(struct virtio_model *model, const struct virtqueue *queue);

/* Takes the next chain the driver gave. False when there is none. */
bool model_take(struct virtio_model *model, struct model_chain *chain);

/* Returns it, with any length. */
void model_return(struct virtio_model *model, const struct model_chain *chain, uint32_t length_bytes);

/* Does the driver want to hear of what was returned since the last call? */
bool model_must_interrupt(struct virtio_model *model);

/* Stops asking for notifications, and asks again: true when something is there already. */
void model_poll(struct virtio_model *model);
bool model_sleep(struct virtio_model *model);

/* The lies: written as they are. Index or slot are those of the next return. */
void model_write_used(struct virtio_model *model, uint32_t id, uint32_t length_bytes);
void model_jump(struct virtio_model *model, int distance); /* split: the index, from where it should be */
/* Over all descriptors, in a packed ring but for their flags. */
void model_scribble(struct virtio_model *model, uint64_t *random);

uint32_t model_writable_bytes(const struct model_chain *chain);
