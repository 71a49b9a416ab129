/* What is asked of a block device beside reading and writing. */
#include "blk.h"

#include <base/errno.h>
#include <mm/kmalloc.h>
#include <mm/physmap.h>

int blk_read_config(struct blk *blk, struct virtio_blk_config *config)
{
    uint64_t flags = spinlock_lock_irqsave(&blk->config_lock);
    int result;

    *config = (struct virtio_blk_config){0};
    result = virtio_read_config(blk->device, 0, config, blk_config_length(blk->device->features));
    spinlock_unlock_irqrestore(&blk->config_lock, flags);
    return result;
}

/* Up to the device's terminator or ours; what is no text is shown as '?'. */
static void copy_id(const char *from, char *id, size_t size)
{
    size_t length = 0;

    for (; length < VIRTIO_BLK_ID_BYTES && length + 1 < size && from[length] != '\0'; length++)
        id[length] = (char)(from[length] >= ' ' && from[length] < 0x7f ? from[length] : '?');
    id[length] = '\0';
}

int blk_identify(struct block_device *device, char *id, size_t size)
{
    char *buffer = kmalloc(VIRTIO_BLK_ID_BYTES, ALLOC_ZERO);
    struct block_segment segment = {.length_bytes = VIRTIO_BLK_ID_BYTES};
    struct block_request request = {
        .operation = (enum block_operation)BLK_GET_ID, .segments = &segment, .nr_segments = 1};
    int result;

    if (buffer == NULL)
        return -ENOMEM;
    if (size == 0) {
        kfree(buffer);
        return -EINVAL;
    }
    segment.base = physmap_to_phys(buffer);
    result = block_execute_unchecked(device, &request);
    if (result == 0)
        copy_id(buffer, id, size);
    kfree(buffer);
    return result;
}

/* Writes the field and reads what became of it. */
static int write_cache_mode(struct blk *blk, bool write_back)
{
    unsigned offset = offsetof(struct virtio_blk_config, writeback);
    uint64_t flags = spinlock_lock_irqsave(&blk->config_lock);
    uint8_t now = 0;
    int result = -EIO;

    if (blk->device->transport->write_config8(blk->device, offset, write_back) &&
        blk->device->transport->read_config(blk->device, offset, &now, sizeof(now)) && now == write_back)
        result = 0;
    spinlock_unlock_irqrestore(&blk->config_lock, flags);
    return result;
}

int blk_set_write_back(struct block_device *device, bool write_back)
{
    struct blk *blk = blk_of(device);
    int result;

    if (!blk->properties.can_set_write_back)
        return -ENOTSUP;
    if (__atomic_load_n(&blk->todo, __ATOMIC_RELAXED) & BLK_WORK_CLOSED)
        return -ENODEV;
    /* On before the device's cache is, and off only once what it held is on the disk: flushes are never missing. */
    if (write_back)
        device->is_write_back = true;
    result = write_cache_mode(blk, write_back);
    if (result != 0 || write_back)
        return result;
    result = block_flush(device);
    if (result == 0)
        device->is_write_back = false;
    return result;
}
