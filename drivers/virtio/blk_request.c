/* Requests as the device sees them (virtio 1.2 5.2.6): header, data and status, each in descriptors of their own, which
 * a legacy device without ANY_LAYOUT insists on (5.2.6.4). */
#include "blk.h"

#include <base/errno.h>

static const uint8_t types[] = {
    [BLOCK_READ] = VIRTIO_BLK_T_IN,     [BLOCK_WRITE] = VIRTIO_BLK_T_OUT,
    [BLOCK_FLUSH] = VIRTIO_BLK_T_FLUSH, [BLOCK_DISCARD] = VIRTIO_BLK_T_DISCARD,
    [BLK_GET_ID] = VIRTIO_BLK_T_GET_ID, [BLOCK_WRITE_ZEROES] = VIRTIO_BLK_T_WRITE_ZEROES,
};

static ALWAYS_INLINE struct virtqueue_segment segment_at(const struct blk_slot *slot, size_t offset,
                                                         uint32_t length_bytes)
{
    return (struct virtqueue_segment){paddr_add(slot->shared_base, offset), length_bytes};
}

static ALWAYS_INLINE struct virtqueue_segment status_segment(const struct blk_slot *slot)
{
    slot->shared->status = BLK_STATUS_MISSING;
    return segment_at(slot, offsetof(struct blk_shared, status), sizeof(slot->shared->status));
}

static ALWAYS_INLINE struct virtqueue_segment header_segment(const struct blk_slot *slot, uint32_t type,
                                                             uint64_t sector)
{
    slot->shared->header = (struct virtio_blk_header){.type = type, .sector = sector};
    return segment_at(slot, offsetof(struct blk_shared, header), sizeof(slot->shared->header));
}

static bool is_range(const struct block_request *request)
{
    return request->operation == BLOCK_DISCARD || request->operation == BLOCK_WRITE_ZEROES;
}

/* What is not a read or write: a range, the id or nothing. */
static NOINLINE struct blk_chain make_other(const struct block_request *request, unsigned sector_shift,
                                            const struct blk_slot *slot, struct virtqueue_segment *segments)
{
    struct blk_chain chain = {1, 1};

    *segments++ = header_segment(slot, types[request->operation], 0);
    if (is_range(request)) {
        slot->shared->range = (struct virtio_blk_range){
            .sector = request->sector << sector_shift,
            .nr_sectors = (uint32_t)(request->nr_sectors << sector_shift), /* the limits are 32 bits */
        };
        *segments++ = segment_at(slot, offsetof(struct blk_shared, range), sizeof(slot->shared->range));
        chain.nr_readable++;
    } else if ((unsigned)request->operation == BLK_GET_ID) {
        *segments++ = (struct virtqueue_segment){request->segments[0].base, request->segments[0].length_bytes};
        chain.nr_writable++;
    }
    *segments = status_segment(slot);
    return chain;
}

struct blk_chain blk_make_chain(const struct block_request *request, unsigned sector_shift, const struct blk_slot *slot,
                                struct virtqueue_segment *segments)
{
    const struct block_segment *data = request->segments, *end = data + request->nr_segments;
    bool is_read = request->operation == BLOCK_READ;

    if (UNLIKELY(!is_read && request->operation != BLOCK_WRITE))
        return make_other(request, sector_shift, slot, segments);
    *segments++ = header_segment(slot, is_read ? VIRTIO_BLK_T_IN : VIRTIO_BLK_T_OUT, request->sector << sector_shift);
    for (; data < end; data++)
        *segments++ = (struct virtqueue_segment){data->base, data->length_bytes};
    *segments = status_segment(slot);
    return is_read ? (struct blk_chain){1, request->nr_segments + 1} : (struct blk_chain){request->nr_segments + 1, 1};
}

struct blk_chain blk_make_flush(const struct blk_slot *slot, struct virtqueue_segment *segments)
{
    segments[0] = header_segment(slot, VIRTIO_BLK_T_FLUSH, 0);
    segments[1] = status_segment(slot);
    return (struct blk_chain){1, 1};
}

int blk_status_error(uint8_t status)
{
    if (status == VIRTIO_BLK_S_OK)
        return 0;
    return status == VIRTIO_BLK_S_UNSUPP ? -ENOTSUP : -EIO;
}
