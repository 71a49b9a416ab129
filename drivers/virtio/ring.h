/* What the split and the packed ring share: the driver's own knowledge of chains, and the free lists. */
#pragma once

#include <base/errno.h>
#include <hw/virtio_ring.h>
#include <virtio/virtqueue.h>

#define NO_TABLE UINT16_MAX

/* By id. An id is the first descriptor of a chain in the split ring and a number without a place in the packed one. */
struct virtqueue_chain {
    void *token;             /* NULL while the id is not in flight */
    uint32_t writable_bytes; /* V3's limit */
    uint16_t nr_descriptors; /* of the ring */
    uint16_t next;           /* free: the next free one; split, in flight: the chain's next descriptor */
    uint16_t table;          /* or NO_TABLE */
};

struct virtqueue_operations {
    /* Writes a chain that fits, and makes it the device's; one segment may be the table `flags` says it is. Returns its
     * id, whose entry in chains[] is still as it was when free. */
    uint16_t (*add)(struct virtqueue *queue, const struct virtqueue_segment *segments, unsigned nr_readable,
                    unsigned nr, unsigned flags);
    bool (*must_notify)(struct virtqueue *queue, uint32_t nr_added);
    /* The next completion as the device wrote it, each word read once: 1, or 0 when there is none, or -EIO. */
    int (*peek)(struct virtqueue *queue, uint32_t *id, uint32_t *length_bytes);
    /* Passes the peeked completion and frees what the chain had. */
    void (*pass)(struct virtqueue *queue, uint16_t id);
    void (*disable_interrupts)(struct virtqueue *queue);
    void (*enable_interrupts)(struct virtqueue *queue);
    bool (*has_completion)(const struct virtqueue *queue);
    void (*reset)(struct virtqueue *queue);
};

extern const struct virtqueue_operations virtqueue_split, virtqueue_packed;

/* V4: the first fault stays. Returns -EIO. */
int virtqueue_break(struct virtqueue *queue, enum virtqueue_fault fault);

/* The physical address of an indirect table, and its filling. */
paddr_t virtqueue_table_base(const struct virtqueue *queue, uint16_t table);

/* Was the event passed by the step from old_index to new_index? (2.7.10.1; modulo 65536.) */
static inline bool virtqueue_passes(uint16_t event, uint16_t new_index, uint16_t old_index)
{
    return (uint16_t)(new_index - event - 1) < (uint16_t)(new_index - old_index);
}
