/* A virtio device inside the kernel, for drivers on the virtio bus: its registers are C, its ring is the driver's own
 * memory, its interrupt a real one. It answers every notification at once, truthfully or with a lie of its own choice.
 */
#pragma once

#include <irq/irq.h>
#include <virtio/device.h>

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
    bool wrap;
    struct virtio_interrupts wanted;
    void *context;
    struct msi_message message;
    struct irq *irq;
};

/* A type of device without configuration; the caller adds it and removes it. */
void model_init(struct model *model, const struct model_options *options, uint16_t id);
