/* What a block device's configuration means. The device writes it, so nothing in it is taken for granted: a limit of 0
 * is the least that works, or no limit where 0 would be none. */
#include "blk.h"

#include <base/align.h>
#include <base/errno.h>

#define BLOCK_SIZE_DEFAULT    512u
#define BLOCK_SIZE_LARGE      4096u
#define PHYSICAL_EXPONENT_MAX 12u /* 16 MiB blocks of 4 KiB: nobody has such; more is not believed */

#define FIELD_END(field) (offsetof(struct virtio_blk_config, field) + sizeof(((struct virtio_blk_config *)0)->field))

size_t blk_config_length(uint64_t features)
{
    static const struct {
        uint64_t features;
        size_t length;
    } parts[] = {
        {VIRTIO_BLK_F_WRITE_ZEROES, FIELD_END(write_zeroes_may_unmap)},
        {VIRTIO_BLK_F_DISCARD, FIELD_END(discard_sector_alignment)},
        {VIRTIO_BLK_F_MQ, FIELD_END(num_queues)},
        {VIRTIO_BLK_F_CONFIG_WCE, FIELD_END(writeback)},
        {VIRTIO_BLK_F_TOPOLOGY, FIELD_END(opt_io_size)},
        {VIRTIO_BLK_F_BLK_SIZE, FIELD_END(blk_size)},
        {VIRTIO_BLK_F_SEG_MAX, FIELD_END(seg_max)},
        {VIRTIO_BLK_F_SIZE_MAX, FIELD_END(size_max)},
    };

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (features & parts[i].features)
            return parts[i].length;
    return FIELD_END(capacity);
}

static uint32_t physical_block_bytes(const struct virtio_blk_config *config, uint64_t features, uint32_t block_bytes)
{
    if (!(features & VIRTIO_BLK_F_TOPOLOGY) || config->physical_block_exp > PHYSICAL_EXPONENT_MAX)
        return block_bytes;
    return block_bytes << config->physical_block_exp;
}

static uint32_t max_segment_bytes(const struct virtio_blk_config *config, uint64_t features)
{
    bool has_limit = features & VIRTIO_BLK_F_SIZE_MAX && config->size_max != 0;

    return has_limit && config->size_max < BLK_SEGMENT_BYTES_MAX ? config->size_max : BLK_SEGMENT_BYTES_MAX;
}

/* 5.2.5.1, 5.2.5.2 */
static bool is_write_back(const struct virtio_blk_config *config, uint64_t features)
{
    if (!(features & VIRTIO_BLK_F_FLUSH))
        return false; /* nothing could be done about its cache: the standard says that it then has none */
    return !(features & VIRTIO_BLK_F_CONFIG_WCE) || config->writeback != 0;
}

int blk_parse_config(const struct virtio_blk_config *config, uint64_t features, struct blk_properties *properties)
{
    uint32_t block_bytes = features & VIRTIO_BLK_F_BLK_SIZE ? config->blk_size : BLOCK_SIZE_DEFAULT;
    struct blk_properties p = {.nr_queues = 1};

    if (block_bytes != BLOCK_SIZE_DEFAULT && block_bytes != BLOCK_SIZE_LARGE)
        return -ENOTSUP;
    p.sector_shift = log2_floor(block_bytes) - VIRTIO_BLK_SECTOR_SHIFT;
    p.nr_sectors = config->capacity >> p.sector_shift;
    p.limits.logical_block_bytes = block_bytes;
    p.limits.physical_block_bytes = physical_block_bytes(config, features, block_bytes);
    p.limits.max_segments = features & VIRTIO_BLK_F_SEG_MAX && config->seg_max != 0 ? config->seg_max : 1;
    p.limits.max_segment_bytes = max_segment_bytes(config, features);
    p.limits.has_fua = features & VIRTIO_BLK_F_FLUSH;
    if (features & VIRTIO_BLK_F_DISCARD && config->max_discard_seg != 0)
        p.limits.max_discard_sectors = config->max_discard_sectors >> p.sector_shift;
    if (features & VIRTIO_BLK_F_WRITE_ZEROES && config->max_write_zeroes_seg != 0)
        p.limits.max_write_zeroes_sectors = config->max_write_zeroes_sectors >> p.sector_shift;
    if (features & VIRTIO_BLK_F_MQ && config->num_queues != 0)
        p.nr_queues = config->num_queues;
    p.is_read_only = features & VIRTIO_BLK_F_RO;
    p.is_write_back = is_write_back(config, features);
    p.can_set_write_back = features & VIRTIO_BLK_F_FLUSH && features & VIRTIO_BLK_F_CONFIG_WCE;
    *properties = p;
    return 0;
}
