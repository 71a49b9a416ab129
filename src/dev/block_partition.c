/* Block devices for the partitions of a disk. Their requests go to the disk's driver, moved (block_submit.c). */
#include <base/errno.h>
#include <debug/log.h>
#include <lib/error_name.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/kmalloc.h>

#include "block_internal.h"
#include "partition.h"

static void submit_to_disk(struct block_device *device, struct block_request *request)
{
    device->whole->operations->submit(device->whole, request);
}

static int identify_disk(struct block_device *device, char *id, size_t size)
{
    return device->whole->operations->identify ? device->whole->operations->identify(device->whole, id, size)
                                               : -ENOTSUP;
}

static void release_partition(struct block_device *device)
{
    struct block_device *disk = device->whole;

    kfree(device);
    block_device_put(disk);
}

static const struct block_operations partition_operations = {
    .submit = submit_to_disk, .identify = identify_disk, .release = release_partition};

struct scan {
    struct partition_disk disk;
    struct block_device *device;
};

static int read_disk(const struct partition_disk *disk, uint64_t sector, void *to, size_t length_bytes)
{
    return block_read(CONTAINER_OF(disk, struct scan, disk)->device, sector, to, length_bytes);
}

/* A digit at the end of the disk's name is set off: nvme0p1. */
static int make_name(char *name, const struct block_device *disk, unsigned number)
{
    size_t length = strlen(disk->name);
    bool ends_in_digit = length != 0 && disk->name[length - 1] >= '0' && disk->name[length - 1] <= '9';
    int needed = snprintf(name, BLOCK_NAME_MAX, "%s%s%u", disk->name, ends_in_digit ? "p" : "", number);

    return needed < BLOCK_NAME_MAX ? 0 : -ENAMETOOLONG;
}

static int add_partition(struct block_device *disk, const struct partition *partition)
{
    struct block_device *device = kmalloc(sizeof(*device), ALLOC_ZERO);
    int error;

    if (!device)
        return -ENOMEM;
    device->operations = &partition_operations;
    device->limits = disk->limits;
    device->nr_sectors = partition->nr_sectors;
    device->is_read_only = disk->is_read_only;
    device->is_write_back = disk->is_write_back;
    device->whole = disk;
    device->first_sector = partition->first_sector;
    error = make_name(device->name, disk, partition->number);
    refcount_get(&disk->references); /* the partition's: given back by release_partition */
    if (error == 0)
        error = block_device_publish(device);
    if (error < 0) {
        release_partition(device);
        return error;
    }
    log_info("%s: %lu sectors from %lu", device->name, partition->nr_sectors, partition->first_sector);
    return 0;
}

void block_add_partitions(struct block_device *disk)
{
    struct scan scan = {.device = disk};
    struct partition_list list = {0};
    int error;

    scan.disk = (struct partition_disk){.name = disk->name,
                                        .nr_sectors = block_nr_sectors(disk),
                                        .sector_bytes = disk->limits.logical_block_bytes,
                                        .read = read_disk};
    error = partition_scan(&scan.disk, &list);
    for (size_t i = 0; i < list.count && error == 0; i++)
        error = add_partition(disk, &list.entries[i]);
    if (error < 0)
        log_warn("%s: partitions: %s", disk->name, error_text(error));
    partition_list_free(&list);
}
