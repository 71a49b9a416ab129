/* A virtio block device.
 *
 * B1  A request belongs to the driver from submit until its complete is called, once. Meanwhile it is in one place: in
 *     a slot (the device has its chain), in its queue's `waiting` (the ring has no room; first come, first served), or
 *     on a list of requests about to be completed.
 * B2  A slot is in use from the moment its chain is in the ring until that is reaped, or detached after a reset. There
 *     are as many slots as the ring has descriptors, so a chain that fits has a slot.
 * B3  A request waits only while a chain is in flight, whose completion submits it: nothing waits for ever.
 * B4  complete is called without any lock of ours.
 * B5  A stopped queue starts nothing and reaps nothing. A device that is given up or taken away has all its queues
 *     stopped first; then it is reset, and what was in flight or waiting ends with -EIO.
 * B6  One context at a time runs the device's work (blk_work.c), and remove waits for it.
 *
 * Locks: each queue has one, taken with interrupts off, for submission and completion alike. The transport's notify is
 * called under it, so that once a queue is stopped nobody touches the device's registers through it. */
#pragma once

#include <dev/block.h>
#include <hw/virtio_blk.h>
#include <irq/deferred.h>
#include <sync/spinlock.h>
#include <time/timer.h>
#include <virtio/device.h>
#include <virtio/queue.h>

#define BLK_QUEUE_SIZE_MAX    1024u
#define BLK_SEGMENTS_MAX      64u /* of a request's data: 256 KiB from scattered pages; each table has room for them */
#define BLK_SEGMENTS_MORE     2u  /* header and status */
#define BLK_SEGMENT_BYTES_MAX (32u << 20) /* so many keep a chain below the 4 GiB that a ring can count */
static_assert((uint64_t)BLK_SEGMENTS_MAX * BLK_SEGMENT_BYTES_MAX < (1ull << 32) - 1, "virtio 1.2 2.7.5");

/* A request of our own, which the block layer does not know: one segment of VIRTIO_BLK_ID_BYTES. */
#define BLK_GET_ID ((unsigned)BLOCK_WRITE_ZEROES + 1)

/* What a request has in memory that the device sees, besides its data. */
struct blk_shared {
    struct virtio_blk_header header;
    struct virtio_blk_range range;
    uint8_t status;
} ALIGNED(64);

#define BLK_STATUS_MISSING 0xffu /* before the device writes one */

struct blk_slot {
    struct block_request *request;
    struct blk_slot *next_free;
    struct blk_shared *shared; /* [I] */
    paddr_t shared_base;       /* [I] */
    bool must_flush;           /* a write with BLOCK_FUA: a flush follows it */
};

struct blk;

/* [l]: lock. */
struct blk_queue {
    struct virtio_queue queue;          /* [l] */
    struct spinlock lock;               /* interrupts take it */
    struct blk *blk;                    /* [I] */
    bool is_stopped;                    /* [l] B5 */
    bool is_watched;                    /* [l] the timer, or the deadline of one that is polled, is set */
    struct list waiting;                /* [l] B1 */
    struct blk_slot *free;              /* [l] */
    struct virtqueue_segment *segments; /* [l] where a chain is put together */
    uint32_t nr_done;                   /* [l] chains reaped, counts round */
    uint32_t nr_done_watched;           /* [l] when the watch began */
    uint64_t watch_ends_ns;             /* [l] */
    struct timer watch;
    struct blk_slot *slots;    /* [I] */
    struct blk_shared *shared; /* [I] */
};

/* What the device's configuration says, made sense of. */
struct blk_properties {
    struct block_limits limits;
    uint64_t nr_sectors;   /* logical ones */
    unsigned sector_shift; /* a logical sector is 2^this sectors of 512 bytes */
    uint16_t nr_queues;    /* offered */
    bool is_read_only, is_write_back, can_set_write_back;
};

struct blk {
    struct block_device block;
    struct virtio_device *device; /* [I]; not to be touched once the driver was removed: all queues are stopped then */
    struct blk_properties properties; /* [I], but for the size */
    struct spinlock config_lock;      /* the device's configuration, read and written; interrupts take it */
    bool is_polled;                   /* [I] it has no interrupt */
    bool is_failed;                   /* [a] given up */
    unsigned todo;                    /* [a] blk_work.c */
    struct deferred work;
    unsigned nr_queues;
    struct blk_queue queues[];
};

static inline struct blk *blk_of(struct block_device *device)
{
    return CONTAINER_OF(device, struct blk, block);
}

/* ---- blk_config.c: pure ---- */

/* All features the driver can make use of. */
#define BLK_FEATURES                                                                                               \
    (VIRTIO_BLK_F_SIZE_MAX | VIRTIO_BLK_F_SEG_MAX | VIRTIO_BLK_F_RO | VIRTIO_BLK_F_BLK_SIZE | VIRTIO_BLK_F_FLUSH | \
     VIRTIO_BLK_F_TOPOLOGY | VIRTIO_BLK_F_CONFIG_WCE | VIRTIO_BLK_F_MQ | VIRTIO_BLK_F_DISCARD |                    \
     VIRTIO_BLK_F_WRITE_ZEROES)

/* Bytes of configuration that these features promise. */
size_t blk_config_length(uint64_t features);

/* Returns 0, or -ENOTSUP for blocks of neither 512 nor 4096 bytes. max_segments of the limits is the device's word; the
 * ring may have room for less. */
MUST_CHECK int blk_parse_config(const struct virtio_blk_config *config, uint64_t features,
                                struct blk_properties *properties);

/* ---- blk_request.c: pure ---- */

/* How many segments a chain has: readable ones first. */
struct blk_chain {
    unsigned nr_readable, nr_writable;
};

/* Writes header, range and the missing status, and the chain of a checked request that fits the limits: header, data
 * and status. */
struct blk_chain blk_make_chain(const struct block_request *request, unsigned sector_shift, const struct blk_slot *slot,
                                struct virtqueue_segment *segments);
/* The same for the flush that follows a write. */
struct blk_chain blk_make_flush(const struct blk_slot *slot, struct virtqueue_segment *segments);

/* The error a status stands for. */
int blk_status_error(uint8_t status);

/* ---- blk_queue.c ---- */

/* Allocates slots and the ring, and shows it to the device; stopped. Returns 0 or an error, -ENOTSUP, with a message,
 * for a ring that holds no request. Context: thread. */
MUST_CHECK int blk_queue_create(struct blk_queue *queue, struct blk *blk, uint16_t index);
/* Frees what create allocated; after a failed create, or none, too. The device has been reset. Context: thread. */
void blk_queue_destroy(struct blk_queue *queue);
/* B5. Context: any but NMI. */
void blk_queue_set_stopped(struct blk_queue *queue, bool is_stopped);

/* ---- blk_submit.c ---- */

void blk_submit(struct block_device *device, struct block_request *request);
/* Submits what waits, as far as there is room. The caller notifies the device. */
void blk_submit_waiting_locked(struct blk_queue *queue);
/* Puts the slot's flush into the ring; false where it has no room. */
MUST_CHECK bool blk_submit_flush_locked(struct blk_queue *queue, struct blk_slot *slot);

/* ---- blk_complete.c ---- */

/* Completes what the device has finished in the queue (struct blk_queue): its interrupt, which may come for nothing,
 * and called. Context: any but NMI. */
void blk_reap(void *queue);
void blk_poll(struct block_device *device);
/* Ends all requests of a stopped queue, in flight or waiting, with -EIO. The device has been reset.
 * Context: any but NMI. */
void blk_queue_end_all(struct blk_queue *queue);

/* ---- blk_watch.c: a device that does not answer ---- */

#define BLK_WATCH_NS (30 * 1000000000ull) /* without a single completion: far beyond what a disk that lives needs */

void blk_watch_init(struct blk_queue *queue);
/* Watches a queue with something in flight. */
void blk_watch_start_locked(struct blk_queue *queue);
/* For a device that is polled: looks whether the time is up. */
void blk_watch_poll(struct blk_queue *queue);
/* The last chance: false when the device does not use it. Context: as the work's. */
bool blk_watch_answers(struct blk *blk);

/* ---- blk_work.c ---- */

#define BLK_WORK_CONFIG (1u << 0) /* the configuration changed */
#define BLK_WORK_FAULT  (1u << 1) /* a ring is broken: the device lied */
#define BLK_WORK_SILENT (1u << 2) /* no answer for BLK_WATCH_NS */
#define BLK_WORK_CLOSED (1u << 9) /* in todo: the driver was removed */

void blk_work_init(struct blk *blk);
/* Has the work done, soon and with interrupts on. Context: interrupt; of a device that is polled: thread. */
void blk_work_add(struct blk *blk, unsigned what);
/* Waits until no work is under way, and lets none be added. Context: thread, interrupts on. */
void blk_work_close(struct blk *blk);
/* The interrupt of the configuration. */
void blk_config_changed(void *context);

/* ---- blk_admin.c ---- */

int blk_identify(struct block_device *device, char *id, size_t size);
int blk_set_write_back(struct block_device *device, bool write_back);
MUST_CHECK int blk_read_config(struct blk *blk, struct virtio_blk_config *config);
