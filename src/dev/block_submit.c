/* What becomes of a request before the driver sees it. Nothing is changed before all is checked, except nr_sectors of a
 * read or write, which is the segments' to say. */
#include <base/align.h>
#include <base/errno.h>

#include "block_internal.h"

/* The segments' total, in sectors. */
static int count_sectors(const struct block_limits *limits, struct block_request *request)
{
    uint64_t total = 0; /* 2^32 segments of 2^32 bytes fit */

    for (unsigned i = 0; i < request->nr_segments; i++) {
        if (request->segments[i].length_bytes == 0)
            return -EINVAL;
        total += request->segments[i].length_bytes;
    }
    if ((total & (limits->logical_block_bytes - 1)) != 0)
        return -EINVAL;
    request->nr_sectors = total >> log2_floor(limits->logical_block_bytes); /* 512 or 4096 */
    return 0;
}

static int check_range(const struct block_device *device, const struct block_request *request)
{
    uint64_t nr_sectors = block_nr_sectors(device);

    if (request->nr_sectors == 0)
        return -EINVAL;
    return request->sector < nr_sectors && request->nr_sectors <= nr_sectors - request->sector ? 0 : -ERANGE;
}

static int check_flags(const struct block_device *device, const struct block_request *request)
{
    if (request->flags & ~BLOCK_FUA)
        return -EINVAL;
    if (!(request->flags & BLOCK_FUA))
        return 0;
    if (request->operation != BLOCK_WRITE)
        return -EINVAL;
    return device->is_write_back && !device->limits.has_fua ? -ENOTSUP : 0;
}

static int check_operation(const struct block_device *device, struct block_request *request)
{
    switch (request->operation) {
    case BLOCK_READ:
        return count_sectors(&device->limits, request);
    case BLOCK_WRITE:
        return device->is_read_only ? -EROFS : count_sectors(&device->limits, request);
    case BLOCK_DISCARD:
        return device->limits.max_discard_sectors == 0 ? -ENOTSUP : device->is_read_only ? -EROFS : 0;
    case BLOCK_WRITE_ZEROES:
        return device->limits.max_write_zeroes_sectors == 0 ? -ENOTSUP : device->is_read_only ? -EROFS : 0;
    case BLOCK_FLUSH:
        return 0;
    }
    return -EINVAL;
}

static int check(const struct block_device *device, struct block_request *request)
{
    int error;

    if (__atomic_load_n(&device->is_gone, __ATOMIC_ACQUIRE)) /* pairs with the store in block_device_unregister */
        return -ENODEV;
    error = check_flags(device, request);
    if (error == 0)
        error = check_operation(device, request);
    if (error == 0 && request->operation != BLOCK_FLUSH)
        error = check_range(device, request);
    return error;
}

/* Most requests: block_fits_limits for a read or write of one segment. */
static bool is_simple(const struct block_limits *limits, const struct block_request *request)
{
    return request->operation <= BLOCK_WRITE && request->nr_segments == 1 &&
           request->segments->length_bytes <= limits->max_segment_bytes;
}

void block_submit(struct block_device *device, struct block_request *request)
{
    struct block_device *disk = device->whole ? device->whole : device;
    int error = check(device, request);

    if (error == 0 && disk != device) { /* the disk may be gone, or smaller than it was when it was partitioned */
        if (request->operation != BLOCK_FLUSH)
            request->sector += device->first_sector;
        error = check(disk, request);
    }
    if (error < 0 || (request->operation == BLOCK_FLUSH && !disk->is_write_back))
        block_complete_request(request, error);
    else if (is_simple(&disk->limits, request) || block_fits_limits(&disk->limits, request))
        disk->operations->submit(disk, request);
    else
        block_submit_parts(disk, request);
}
