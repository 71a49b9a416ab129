/* What the files of the block layer share. */
#pragma once

#include <dev/block.h>

/* Sectors the device has now. Context: any. */
static inline uint64_t block_nr_sectors(const struct block_device *device)
{
    return __atomic_load_n(&device->nr_sectors, __ATOMIC_RELAXED); /* one number, nothing else depends on it */
}

static inline void block_complete_request(struct block_request *request, int result)
{
    request->result = result;
    request->complete(request);
}

/* True when the driver can take the request as one. */
bool block_fits_limits(const struct block_limits *limits, const struct block_request *request);

/* Submits a checked request to the disk's driver in parts that fit its limits. Completes it when all have. */
void block_submit_parts(struct block_device *disk, struct block_request *request);

/* Looks for partitions and announces a device for each; what is wrong with a table is logged. */
void block_add_partitions(struct block_device *disk);

/* `block bench`: reads of several sizes, depth (at most BLOCK_LOAD_DEPTH_MAX) at a time, and prints how long they took.
 */
MUST_CHECK int block_bench(struct block_device *device, unsigned depth);

/* The registry's half of announcing: into the list, with the list's own reference. */
MUST_CHECK int block_device_publish(struct block_device *device);
