/* A virtio device inside the kernel, for drivers on the virtio bus: its registers are C, its ring is the driver's own
 * memory, its interrupt a real one. It answers every notification at once, all that is there truthfully, or the first
 * with a lie of its own choice and no other. What it may write it fills with MODEL_BYTE. */
#pragma once

#include <irq/irq.h>
#include <virtio/device.h>

#define MODEL_BYTE 0x5a

enum model_lie {
    MODEL_TRUTH,
    MODEL_UNKNOWN_ID,  /* virtio/virtqueue.h V1 */
    MODEL_IDLE_ID,     /* V1 */
    MODEL_TWICE,       /* V1, V2: the same answer again */
    MODEL_TOO_LONG,    /* V3 */
    MODEL_INDEX_JUMPS, /* V2 */
    MODEL_INDEX_BACK,  /* V2 */
    MODEL_SCRIBBLES,   /* over the descriptors, which are ours no more; then the truth */
    MODEL_NEEDS_RESET, /* it says so, and answers nothing */
    MODEL_VANISHES,    /* all its registers read all ones */
    MODEL_NR_LIES,
};

struct model_options {
    enum model_lie lie;
    bool is_packed;
    bool has_interrupts;
    unsigned reset_takes; /* looks until a reset has ended, but the first one */
    bool never_resets;    /* but the first time */
    bool refuses_start;   /* it needs a reset as soon as the driver is ready */
    uint16_t queue_size;  /* 0: 8 */
    uint64_t features;    /* of the type's own */
    const void *config;
    size_t config_bytes;
    bool is_config_restless; /* it changes whenever it is read */
    bool has_status;         /* the last byte it may write of a chain is this one */
    uint8_t status;
    bool is_held; /* it answers model_answer only */
};

struct model {
    struct virtio_device device;
    struct model_options options;
    uint8_t status;
    bool is_gone, is_cut_off, is_released;
    unsigned nr_resets, nr_waits, nr_notified;
    unsigned nr_touched; /* notified of a ring that was not shown to it, or after a reset */
    struct virtio_queue_place place;
    bool is_enabled;
    uint16_t next_used, next_avail; /* split: indices; packed: next_avail is the slot */
    uint8_t generation;
    bool wrap;
    struct virtio_interrupts wanted;
    void *context;
    struct msi_message message;
    struct irq *irq;
};

/* The caller adds it and removes it. The options may be changed meanwhile. */
void model_init(struct model *model, const struct model_options *options, uint16_t id);

/* Answers what it was notified of, as a notification of one that is not held does. Context: thread. */
void model_answer(struct model *model);
