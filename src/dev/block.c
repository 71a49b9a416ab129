/* Which block devices there are.
 *
 * 1. A device is in the list from publish to unregister, and the list has one reference to it.
 * 2. A partition has one reference to its disk, given back by its release: a disk outlives its partitions.
 * 3. Nothing is called with the lock held. */
#include <dev/block.h>

#include <base/assert.h>
#include <base/errno.h>
#include <debug/log.h>
#include <lib/format.h>
#include <lib/string.h>
#include <sync/spinlock.h>

#include "block_internal.h"

static struct spinlock lock = SPINLOCK_INITIALIZER("block devices");
static struct list devices = LIST_INITIALIZER(devices); /* [lock] */

static struct block_device *find_locked(const char *name)
{
    struct block_device *device;

    list_for_each_entry (device, &devices, link)
        if (strcmp(device->name, name) == 0)
            return device;
    return NULL;
}

static struct block_device *take_reference(struct block_device *device)
{
    if (device)
        refcount_get(&device->references); /* the caller has one, or the lock */
    return device;
}

struct block_device *block_device_get(const char *name)
{
    struct block_device *device;

    spinlock_lock(&lock);
    device = take_reference(find_locked(name));
    spinlock_unlock(&lock);
    return device;
}

struct block_device *block_device_at(unsigned n)
{
    struct block_device *device, *found = NULL;

    spinlock_lock(&lock);
    list_for_each_entry (device, &devices, link) {
        if (n-- == 0) {
            found = take_reference(device);
            break;
        }
    }
    spinlock_unlock(&lock);
    return found;
}

void block_device_put(struct block_device *device)
{
    if (refcount_put(&device->references))
        device->operations->release(device);
}

/* Letters count as digits without a zero: a to z, aa to az, ba and on. */
static void name_of(char *name, size_t size, const char *prefix, unsigned n)
{
    char letters[8];
    char *at = letters + sizeof(letters) - 1;

    *at = '\0';
    for (n++; n != 0; n = (n - 1) / 26)
        *--at = (char)('a' + (n - 1) % 26);
    snprintf(name, size, "%s%s", prefix, at);
}

void block_device_choose_name(struct block_device *device, const char *prefix)
{
    spinlock_lock(&lock);
    for (unsigned n = 0;; n++) {
        name_of(device->name, sizeof(device->name), prefix, n);
        if (!find_locked(device->name))
            break;
    }
    spinlock_unlock(&lock);
}

int block_device_publish(struct block_device *device)
{
    bool is_taken;

    ASSERT(device->operations->release && device->operations->submit);
    refcount_set(&device->references, 1);
    device->is_gone = false;
    spinlock_lock(&lock);
    is_taken = find_locked(device->name) != NULL;
    if (!is_taken)
        list_add_last(&devices, &device->link);
    spinlock_unlock(&lock);
    return is_taken ? -EEXIST : 0;
}

/* One sector at least has to fit into a request, and parts are made of whole ones. */
static bool are_limits_usable(const struct block_limits *limits)
{
    uint64_t segments = limits->max_segments ? limits->max_segments : UINT32_MAX;
    uint64_t bytes = limits->max_segment_bytes ? limits->max_segment_bytes : UINT32_MAX;

    return (limits->logical_block_bytes == 512 || limits->logical_block_bytes == 4096) &&
           segments * bytes >= limits->logical_block_bytes;
}

int block_device_register(struct block_device *device)
{
    uint64_t nr_sectors = block_nr_sectors(device);
    int error;

    if (!are_limits_usable(&device->limits) || nr_sectors > UINT64_MAX / device->limits.logical_block_bytes)
        return -EINVAL;
    device->whole = NULL;
    device->first_sector = 0;
    error = block_device_publish(device);
    if (error < 0)
        return error;
    log_info("%s: %lu sectors of %u bytes%s", device->name, nr_sectors, device->limits.logical_block_bytes,
             device->is_read_only ? ", read-only" : "");
    block_add_partitions(device);
    return 0;
}

/* Takes the disk's next partition, or with none left the disk itself, out of the list. NULL when the disk is out. */
static struct block_device *unlink_next(struct block_device *disk)
{
    struct block_device *device, *found = NULL;

    spinlock_lock(&lock);
    list_for_each_entry (device, &devices, link) {
        if (device->whole == disk)
            found = device;
        else if (device == disk && !found)
            found = disk;
    }
    if (found)
        list_remove(&found->link);
    spinlock_unlock(&lock);
    return found;
}

void block_device_unregister(struct block_device *device)
{
    struct block_device *next;
    bool is_last;

    __atomic_store_n(&device->is_gone, true, __ATOMIC_RELEASE); /* pairs with the load in block_submit */
    do {
        next = unlink_next(device);
        ASSERT(next);
        is_last = next == device;
        __atomic_store_n(&next->is_gone, true, __ATOMIC_RELEASE);
        block_device_put(next);
    } while (!is_last);
}

void block_device_resized(struct block_device *device, uint64_t nr_sectors)
{
    __atomic_store_n(&device->nr_sectors, nr_sectors, __ATOMIC_RELAXED);
    log_info("%s: has %lu sectors now", device->name, nr_sectors);
}
