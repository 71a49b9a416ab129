/* A virtqueue (virtio 1.2 2.6): buffers go to a device and come back. Split and packed rings behind one interface. Pure
 * C over memory the caller gives: no lock, interrupt or bus in it.
 *
 * Ownership: from virtqueue_add until virtqueue_reap returns its token, a chain, its memory and its descriptors are the
 * device's. The driver keeps in its own memory all it needs to know about a chain; it never reads a descriptor back.
 * Everything else the device writes is checked when it is read, once:
 *
 * V1  An id is reaped only while it is in flight: an id out of range, or one returned twice, is a lie.
 * V2  The device returns no more than it was given: an index that jumps or goes back is a lie.
 * V3  A length is at most what the chain let the device write.
 * V4  After the first lie the queue is broken for good: nothing is added, nothing reaped, every call says -EIO. Whoever
 *     uses it resets the device and then takes the tokens in flight with virtqueue_detach.
 * V5  What the device asks about notifications is believed: a lie there costs the device its own requests' time, which
 *     is the business of whoever waits for them.
 *
 * Locking: every call on one queue is serialised by its caller; submission and completion share the free list. The
 * calls do not sleep or take locks, so a lock that interrupt handlers take will do. Context: any but NMI.
 *
 * A driver's completion side, in its interrupt handler or what that defers, with the queue's lock held:
 *
 *     do {
 *         virtqueue_disable_interrupts(queue);
 *         while ((result = virtqueue_reap(queue, &token, &length_bytes)) > 0)
 *             complete(token, length_bytes);
 *     } while (result == 0 && virtqueue_enable_interrupts(queue));
 */
#pragma once

#include <base/address.h>
#include <base/compiler.h>
#include <base/types.h>

enum virtqueue_format { VIRTQUEUE_SPLIT, VIRTQUEUE_PACKED };

/* Why a queue is broken. */
enum virtqueue_fault {
    VIRTQUEUE_SOUND,
    VIRTQUEUE_BAD_ID,     /* V1: no such id */
    VIRTQUEUE_IDLE_ID,    /* V1: not in flight: never given, or returned before */
    VIRTQUEUE_BAD_LENGTH, /* V3 */
    VIRTQUEUE_BAD_INDEX,  /* V2 */
    VIRTQUEUE_STOPPED,    /* virtqueue_stop */
    VIRTQUEUE_NR_FAULTS,
};

/* Physically contiguous memory of a chain. */
struct virtqueue_segment {
    paddr_t base;
    uint32_t length_bytes; /* not 0 */
};

struct virtqueue_config {
    enum virtqueue_format format;
    uint16_t size;         /* 1 to 32768; of a split ring a power of two */
    bool has_event_index;  /* VIRTIO_F_EVENT_IDX was negotiated */
    bool is_legacy;        /* the legacy layout; lengths are cut, not checked: such devices get them wrong (2.7.8.2) */
    uint16_t nr_tables;    /* indirect tables, 0 without VIRTIO_F_INDIRECT_DESC */
    uint16_t table_length; /* descriptors in each */
};

/* What memory a configuration needs, and where the ring's parts lie in it. */
struct virtqueue_layout {
    size_t ring_bytes;                   /* shared, physically contiguous, aligned to a page */
    size_t driver_offset, device_offset; /* of the driver's and the device's area; descriptors come first */
    size_t tables_bytes;                 /* shared, physically contiguous, aligned to 16; 0 without tables */
    size_t private_bytes;                /* the driver's alone, aligned to 8 */
};

struct virtqueue_memory {
    void *ring;
    void *tables;
    paddr_t tables_base;
    void *private;
};

struct virtqueue_chain; /* drivers/virtio/ring.h */

/* All fields are the caller's lock's, but those [I] after init. */
struct virtqueue {
    struct virtqueue_config config;                /* [I] */
    const struct virtqueue_operations *operations; /* [I] */
    void *descriptors, *driver_area, *device_area; /* [I] shared */
    struct virtq_desc *tables;                     /* [I] shared */
    paddr_t tables_base;                           /* [I] */
    struct virtqueue_chain *chains;                /* what we know of each id; as long as the ring */
    uint16_t *next_table;                          /* links of the free tables */
    uint16_t free_chain, free_table;               /* the free lists' heads */
    uint16_t nr_free;                              /* descriptors */
    uint16_t nr_in_flight;                         /* chains */
    uint16_t next_avail, next_used;                /* split: indices that count on; packed: slots */
    uint16_t used_limit;                           /* split: the device's index as last read and found good */
    bool avail_wrap, used_wrap;                    /* packed: the wrap counters, 2.8.1 */
    uint32_t nr_unannounced; /* added (split: chains, packed: slots) since the last virtqueue_must_notify */
    enum virtqueue_fault fault;
};

/* Returns 0, or -EINVAL for a size or a table that cannot be. */
MUST_CHECK int virtqueue_plan(const struct virtqueue_config *config, struct virtqueue_layout *layout);

/* Sets up an empty ring in memory of the planned sizes, with interrupts enabled. The memory stays the caller's; the
 * device must not know the ring yet. Also starts a queue anew after its device's reset. */
MUST_CHECK int virtqueue_init(struct virtqueue *queue, const struct virtqueue_config *config,
                              const struct virtqueue_memory *memory);

/* Gives the device a chain: nr_readable segments it reads, then nr_writable ones it writes. token is not NULL; it comes
 * back from virtqueue_reap. Returns 0; -EAGAIN when the ring has no room now; -EINVAL for a chain that never fits, is
 * empty, holds an empty segment, or lets the device write 4 GiB or more; -EIO. Nothing is changed on failure. Notify
 * the device afterwards. */
MUST_CHECK int virtqueue_add(struct virtqueue *queue, const struct virtqueue_segment *segments, unsigned nr_readable,
                             unsigned nr_writable, void *token);

/* The longest chain that fits an empty ring. */
unsigned virtqueue_max_segments(const struct virtqueue *queue);

/* True when the device asked to be notified of something added since the last call. */
MUST_CHECK bool virtqueue_must_notify(struct virtqueue *queue);

/* Takes back a chain the device is done with: 1, with its token and the number of bytes the device says it wrote, which
 * is at most what the chain's writable segments hold; 0 when there is none now; -EIO. */
MUST_CHECK int virtqueue_reap(struct virtqueue *queue, void **token, uint32_t *length_bytes);

/* Asks the device not to interrupt. It may all the same. */
void virtqueue_disable_interrupts(struct virtqueue *queue);

/* Asks for an interrupt at the next completion. Returns true when something has been completed already, for which no
 * interrupt need come: reap again. */
MUST_CHECK bool virtqueue_enable_interrupts(struct virtqueue *queue);

/* Breaks a queue whose device is being reset or has gone (V4). Keeps an earlier fault. */
void virtqueue_stop(struct virtqueue *queue);

/* Takes any chain in flight out of a broken queue: its token, or NULL when there is none left. Only once the device
 * cannot write to its memory any more: after the reset. */
void *virtqueue_detach(struct virtqueue *queue);

/* In words, for the log. */
const char *virtqueue_fault_name(enum virtqueue_fault fault);
