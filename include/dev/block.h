/* Block devices. Requests are asynchronous: submitted, completed once by a call back, with 0 or -EIO (or another error) each of
 * its own. */
#pragma once

#include <base/address.h>
#include <base/compiler.h>
#include <base/types.h>
#include <lib/list.h>

#define BLOCK_NAME_MAX 24

enum block_operation { BLOCK_READ, BLOCK_WRITE, BLOCK_FLUSH, BLOCK_DISCARD, BLOCK_WRITE_ZEROES };

#define BLOCK_FUA (1u << 0) /* the write is on stable storage when it completes */

/* A piece of memory, physically contiguous. */
struct block_segment {
    paddr_t base;
    uint32_t length_bytes;
};

struct block_request;
/* Context: interrupt or thread. The request belongs to its submitter again. */
typedef void (*block_complete)(struct block_request *request);

/* The submitter's, but from block_submit to complete the driver's. */
struct block_request {
    enum block_operation operation;
    unsigned flags;                       /* BLOCK_FUA */
    uint64_t sector;                      /* in units of the device's logical block size */
    uint64_t nr_sectors;                  /* of discard and write zeroes; of read and write the segments' total */
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
    uint32_t max_segments, max_segment_bytes;
    uint64_t max_discard_sectors, max_write_zeroes_sectors; /* 0: not supported, -ENOTSUP */
};

struct block_device;
struct block_operations {
    /* Queues the request: it completes exactly once. May wait for room in the device's ring. Context: thread. */
    void (*submit)(struct block_device *device, struct block_request *request);
    /* The device's own id, up to 20 characters and a terminator. Returns 0 or an error. Context: thread. */
    int (*identify)(struct block_device *device, char *id, size_t size);
    /* Sets write-back (true) or write-through. -ENOTSUP where the device decides. */
    int (*set_write_back)(struct block_device *device, bool write_back);
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
    uint32_t references; /* [a] */
    struct list link;    /* [block lock] */
};

/* Announces a disk; partitions are looked for. The driver owns it until block_device_unregister. Context: thread. */
MUST_CHECK int block_device_register(struct block_device *device);
/* Takes disk and partitions away; requests in flight have been ended with -EIO by the driver. Context: thread. */
void block_device_unregister(struct block_device *device);
/* The device changed its size. Context: any but NMI. */
void block_device_resized(struct block_device *device, uint64_t nr_sectors);

/* By name, with a reference; NULL when there is none. Context: thread. */
struct block_device *block_device_get(const char *name);
void block_device_put(struct block_device *device);

/* Checks range, alignment, support and read-only (errors complete the request) and hands it to the driver. Context: thread. */
void block_submit(struct block_device *device, struct block_request *request);

/* One request and wait: whole sectors to or from memory of any kind. 0 or the request's own error. Context: thread. */
MUST_CHECK int block_read(struct block_device *device, uint64_t sector, void *to, size_t length_bytes);
MUST_CHECK int block_write(struct block_device *device, uint64_t sector, const void *from, size_t length_bytes);
MUST_CHECK int block_flush(struct block_device *device);
