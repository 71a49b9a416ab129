#include "ram_disk.h"

#include <base/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/physmap.h>

static struct ram_disk *of_device(struct block_device *device)
{
    return device->driver_data;
}

static uint8_t *at_sector(struct ram_disk *disk, uint64_t sector)
{
    return disk->bytes + sector * disk->device.limits.logical_block_bytes;
}

static bool is_within_limits(const struct ram_disk *disk, const struct block_request *request)
{
    const struct block_limits *limits = &disk->device.limits;
    uint64_t total = 0;

    if (request->operation == BLOCK_FLUSH)
        return true;
    if (request->sector + request->nr_sectors > disk->device.nr_sectors || request->nr_sectors == 0)
        return false;
    if (request->operation == BLOCK_DISCARD)
        return request->nr_sectors <= limits->max_discard_sectors;
    if (request->operation == BLOCK_WRITE_ZEROES)
        return request->nr_sectors <= limits->max_write_zeroes_sectors;
    for (unsigned i = 0; i < request->nr_segments; i++) {
        total += request->segments[i].length_bytes;
        if (limits->max_segment_bytes && request->segments[i].length_bytes > limits->max_segment_bytes)
            return false;
    }
    return total == request->nr_sectors * limits->logical_block_bytes &&
           (!limits->max_segments || request->nr_segments <= limits->max_segments);
}

static void transfer(struct ram_disk *disk, const struct block_request *request)
{
    uint8_t *at = at_sector(disk, request->sector);

    for (unsigned i = 0; i < request->nr_segments; i++) {
        const struct block_segment *segment = &request->segments[i];
        void *memory = phys_to_virt(segment->base);

        if (request->operation == BLOCK_READ)
            memcpy(memory, at, segment->length_bytes);
        else
            memcpy(at, memory, segment->length_bytes);
        at += segment->length_bytes;
    }
}

static void complete(struct ram_disk *disk, struct block_request *request)
{
    bool fails = ++disk->nr_completed == disk->fail_at;

    request->result = fails ? disk->fail_with : 0;
    if (!is_within_limits(disk, request)) {
        disk->nr_bad++;
        request->result = -EIO;
    } else if (!fails && (request->operation == BLOCK_READ || request->operation == BLOCK_WRITE)) {
        transfer(disk, request);
    } else if (!fails && request->operation == BLOCK_WRITE_ZEROES) {
        memset(at_sector(disk, request->sector), 0, request->nr_sectors * disk->device.limits.logical_block_bytes);
    }
    request->complete(request);
}

static void submit(struct block_device *device, struct block_request *request)
{
    struct ram_disk *disk = of_device(device);
    uint64_t flags;

    disk->nr_submitted++;
    if (disk->completes_at_once) {
        complete(disk, request);
        return;
    }
    flags = spinlock_lock_irqsave(&disk->lock);
    list_add_last(&disk->queue, &request->link);
    spinlock_unlock_irqrestore(&disk->lock, flags);
    if (disk->kick)
        disk->kick(disk);
}

enum which_first { OLDEST_FIRST, NEWEST_FIRST };

/* Takes a request out of the queue; NULL: none is there. */
static struct block_request *take(struct ram_disk *disk, enum which_first first)
{
    uint64_t flags = spinlock_lock_irqsave(&disk->lock);
    struct list *node = first == NEWEST_FIRST ? disk->queue.prev : disk->queue.next;

    if (list_is_empty(&disk->queue))
        node = NULL;
    else
        list_remove(node);
    spinlock_unlock_irqrestore(&disk->lock, flags);
    return node ? list_entry(node, struct block_request, link) : NULL;
}

static void run(struct ram_disk *disk, enum which_first first)
{
    struct block_request *request;

    while ((request = take(disk, first)) != NULL)
        complete(disk, request);
}

void ram_disk_run(struct ram_disk *disk)
{
    run(disk, OLDEST_FIRST);
}

void ram_disk_run_reversed(struct ram_disk *disk)
{
    run(disk, NEWEST_FIRST);
}

static void poll(struct block_device *device)
{
    ram_disk_run(of_device(device));
}

static void release(struct block_device *device)
{
    of_device(device)->nr_released++;
}

static const struct block_operations polled = {.submit = submit, .poll = poll, .release = release};
static const struct block_operations interrupting = {.submit = submit, .release = release};

void ram_disk_init(struct ram_disk *disk, const char *name, uint8_t *bytes, uint64_t nr_sectors, uint32_t sector_bytes)
{
    *disk = (struct ram_disk){.bytes = bytes};
    disk->device.operations = &polled;
    disk->device.limits.logical_block_bytes = disk->device.limits.physical_block_bytes = sector_bytes;
    disk->device.nr_sectors = nr_sectors;
    disk->device.driver_data = disk;
    snprintf(disk->device.name, sizeof(disk->device.name), "%s", name);
    spinlock_init(&disk->lock, "disk in memory");
    list_init(&disk->queue);
}

void ram_disk_use_interrupt(struct ram_disk *disk, void (*kick)(struct ram_disk *disk))
{
    disk->device.operations = &interrupting;
    disk->kick = kick;
}
