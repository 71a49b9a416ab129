/* Block devices. Requests are asynchronous: submitted, completed once by a call back, with 0 or -EIO (or another error)
 * each of its own. */
#pragma once

#include <base/address.h>
#include <base/compiler.h>
#include <base/types.h>
#include <lib/list.h>
#include <sync/refcount.h>

#define BLOCK_NAME_MAX 24

enum block_operation { BLOCK_READ, BLOCK_WRITE, BLOCK_FLUSH, BLOCK_DISCARD, BLOCK_WRITE_ZEROES };

#define BLOCK_FUA (1u << 0) /* the write is on stable storage when it completes */

/* A piece of memory, physically contiguous. */
struct block_segment {
    paddr_t base;
    uint32_t length_bytes;
};

struct block_request;
/* The request belongs to its submitter again. May submit, this one too; must not wait. A disk that was given up
 * completes inside block_submit, with -EIO: who submits again on every error has no end. Context: any but NMI, with
 * interrupts off where an interrupt completed it; none of the driver's locks is held. */
typedef void (*block_complete)(struct block_request *request);

/* The submitter's, but from block_submit to complete the driver's. */
struct block_request {
    enum block_operation operation;
    unsigned flags;  /* BLOCK_FUA */
    uint64_t sector; /* in logical blocks of the device; block_submit makes it the disk's own sector */
    uint64_t
        nr_sectors; /* of discard and write zeroes; block_submit sets it to the segments' total for read and write */
    const struct block_segment *segments; /* whole sectors in total; stays until complete */
    unsigned nr_segments;
    block_complete complete;
    void *context;
    int result;       /* 0 or a negative error, valid in complete */
    struct list link; /* the driver's */
};

struct block_limits {
    uint32_t logical_block_bytes; /* 512 or 4096 */
    uint32_t physical_block_bytes;
    uint32_t max_segments, max_segment_bytes; /* of one request: larger ones come to the driver in parts. 0: any */
    bool has_fua;                             /* where it is write-back: BLOCK_FUA reaches the driver; -ENOTSUP else */
    uint64_t max_discard_sectors, max_write_zeroes_sectors; /* 0: not supported, -ENOTSUP */
};

struct block_device;
struct block_operations {
    /* Queues the request: it completes exactly once, perhaps before this returns. Never waits: where the device has no
     * room the driver keeps the request until it has. Context: any but NMI. */
    void (*submit)(struct block_device *device, struct block_request *request);
    /* The device's own id, up to 20 characters and a terminator. Returns 0 or an error. Context: thread. */
    int (*identify)(struct block_device *device, char *id, size_t size);
    /* Sets write-back (true) or write-through. -ENOTSUP where the device decides. */
    int (*set_write_back)(struct block_device *device, bool write_back);
    /* Completes what the device has finished. Only for a device without an interrupt: waiting then polls. NULL else. */
    void (*poll)(struct block_device *device);
    /* The device is unregistered and nobody refers to it any more: its memory may go. Until then submit may come and
     * has to complete its request with -EIO. Context: thread. */
    void (*release)(struct block_device *device);
};

struct block_device {
    char name[BLOCK_NAME_MAX]; /* "vda", "vda1" */
    const struct block_operations *operations;
    struct block_limits limits;
    uint64_t nr_sectors; /* [a] may change: block_resized */
    bool is_read_only;
    bool is_write_back; /* a flush is needed for stable storage */
    void *driver_data;
    struct block_device *whole; /* of a partition: the disk, and where it begins */
    uint64_t first_sector;
    struct refcount references;
    bool is_gone;     /* [a] unregistered: requests end with -ENODEV */
    struct list link; /* [block devices lock] */
};

/* Gives the device the first free name of its kind: "vd" makes vda to vdz, vdaa and on. Context: thread. */
void block_device_choose_name(struct block_device *device, const char *prefix);

/* Announces a disk, whose requests work from now on; partitions are looked for, and get devices of their own: "vda1",
 * or "nvme0p1" behind a digit. The driver keeps the structure until release is called. Returns 0, -EEXIST for a name
 * that is taken, -EINVAL for limits that let no sector through. Context: thread, interrupts on. */
MUST_CHECK int block_device_register(struct block_device *device);
/* Takes disk and partitions away: nobody finds them any more, and new requests end with -ENODEV. The driver ends those
 * in flight with -EIO. Calls release, now or when the last reference goes. Context: thread. */
void block_device_unregister(struct block_device *device);
/* The device changed its size. Context: any but NMI. */
void block_device_resized(struct block_device *device, uint64_t nr_sectors);

/* By name, with a reference; NULL when there is none. Context: thread. */
struct block_device *block_device_get(const char *name);
void block_device_put(struct block_device *device);
/* The n-th device in the order they came, a disk's partitions behind it, with a reference; NULL past the last. */
struct block_device *block_device_at(unsigned n);

/* Hands the request to the driver, in parts where it exceeds the device's limits; it completes with the error of the
 * first part that failed. What cannot be done completes before this returns: -EINVAL (no whole sectors, unknown
 * operation or flag), -ERANGE (beyond the end), -EROFS, -ENOTSUP, -ENODEV, -ENOMEM (no memory for the parts). A flush
 * of a write-through device has nothing to do. Never waits; may complete the request before it returns. Context: any
 * but NMI. */
void block_submit(struct block_device *device, struct block_request *request);

/* Submits and waits, halting the CPU meanwhile. Returns the request's result; complete and context are overwritten.
 * Context: thread, interrupts on. */
MUST_CHECK int block_execute(struct block_device *device, struct block_request *request);

/* The same for a driver's own request, which nobody checks: straight to its submit. */
MUST_CHECK int block_execute_unchecked(struct block_device *device, struct block_request *request);

/* Waits for what requests of this device bring about when they complete. Context: as block_execute. */
void block_wait_until(struct block_device *device, bool (*is_done)(const void *context), const void *context);

/* Whole sectors to or from mapped memory of any kind, in as many requests as that takes. 0, -EFAULT for memory that is
 * not mapped, or the error of the request that failed, nothing being asked for behind it. Context: as block_execute. */
MUST_CHECK int block_read(struct block_device *device, uint64_t sector, void *to, size_t length_bytes);
MUST_CHECK int block_write(struct block_device *device, uint64_t sector, const void *from, size_t length_bytes);
/* Write-back (true) or write-through for the whole disk; -ENOTSUP where the device decides. */
MUST_CHECK int block_set_write_back(struct block_device *device, bool write_back);
MUST_CHECK int block_flush(struct block_device *device);
MUST_CHECK int block_discard(struct block_device *device, uint64_t sector, uint64_t nr_sectors);
MUST_CHECK int block_write_zeroes(struct block_device *device, uint64_t sector, uint64_t nr_sectors);
