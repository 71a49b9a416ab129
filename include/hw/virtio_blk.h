/* Virtio block devices: features, configuration and what requests look like in memory (virtio 1.2 5.2). All values are
 * little-endian, as x86 is; a "sector" is 512 bytes here, whatever the device's block size. */
#pragma once

#include <base/assert.h>
#include <base/types.h>

#define VIRTIO_BLK_SECTOR_SHIFT 9u

/* 5.2.3 */
#define VIRTIO_BLK_F_SIZE_MAX     (1ull << 1)
#define VIRTIO_BLK_F_SEG_MAX      (1ull << 2)
#define VIRTIO_BLK_F_RO           (1ull << 5)
#define VIRTIO_BLK_F_BLK_SIZE     (1ull << 6)
#define VIRTIO_BLK_F_FLUSH        (1ull << 9)
#define VIRTIO_BLK_F_TOPOLOGY     (1ull << 10)
#define VIRTIO_BLK_F_CONFIG_WCE   (1ull << 11)
#define VIRTIO_BLK_F_MQ           (1ull << 12)
#define VIRTIO_BLK_F_DISCARD      (1ull << 13)
#define VIRTIO_BLK_F_WRITE_ZEROES (1ull << 14)

/* 5.2.4. What belongs to a feature that was not offered may be missing from the end. */
struct virtio_blk_config {
    uint64_t capacity; /* in sectors */
    uint32_t size_max; /* bytes of a segment */
    uint32_t seg_max;  /* segments of a request */
    uint16_t cylinders;
    uint8_t heads, sectors;
    uint32_t blk_size;          /* bytes of a logical block */
    uint8_t physical_block_exp; /* logical blocks of a physical one, as a power of two */
    uint8_t alignment_offset;   /* logical blocks to the first aligned one */
    uint16_t min_io_size;       /* logical blocks */
    uint32_t opt_io_size;       /* logical blocks */
    uint8_t writeback;          /* 1: write-back; the driver may write it */
    uint8_t unused0;
    uint16_t num_queues;
    uint32_t max_discard_sectors;
    uint32_t max_discard_seg; /* ranges of a request */
    uint32_t discard_sector_alignment;
    uint32_t max_write_zeroes_sectors;
    uint32_t max_write_zeroes_seg;
    uint8_t write_zeroes_may_unmap;
    uint8_t unused1[3];
};
static_assert(offsetof(struct virtio_blk_config, size_max) == 8, "virtio 1.2 5.2.4");
static_assert(offsetof(struct virtio_blk_config, seg_max) == 12, "virtio 1.2 5.2.4");
static_assert(offsetof(struct virtio_blk_config, cylinders) == 16, "virtio 1.2 5.2.4");
static_assert(offsetof(struct virtio_blk_config, blk_size) == 20, "virtio 1.2 5.2.4");
static_assert(offsetof(struct virtio_blk_config, physical_block_exp) == 24, "virtio 1.2 5.2.4");
static_assert(offsetof(struct virtio_blk_config, opt_io_size) == 28, "virtio 1.2 5.2.4");
static_assert(offsetof(struct virtio_blk_config, writeback) == 32, "virtio 1.2 5.2.4");
static_assert(offsetof(struct virtio_blk_config, num_queues) == 34, "virtio 1.2 5.2.4");
static_assert(offsetof(struct virtio_blk_config, max_discard_sectors) == 36, "virtio 1.2 5.2.4");
static_assert(offsetof(struct virtio_blk_config, max_write_zeroes_sectors) == 48, "virtio 1.2 5.2.4");
static_assert(offsetof(struct virtio_blk_config, write_zeroes_may_unmap) == 56, "virtio 1.2 5.2.4");
static_assert(sizeof(struct virtio_blk_config) == 64, "virtio 1.2 5.2.4");

/* 5.2.6, the type of a request. */
#define VIRTIO_BLK_T_IN           0u
#define VIRTIO_BLK_T_OUT          1u
#define VIRTIO_BLK_T_FLUSH        4u
#define VIRTIO_BLK_T_GET_ID       8u
#define VIRTIO_BLK_T_DISCARD      11u
#define VIRTIO_BLK_T_WRITE_ZEROES 13u

/* 5.2.6: the first segment of every request. Data follows, and a byte of status ends it. */
struct virtio_blk_header {
    uint32_t type;
    uint32_t reserved; /* legacy: a priority */
    uint64_t sector;   /* of reads and writes, 0 else */
};
static_assert(sizeof(struct virtio_blk_header) == 16, "virtio 1.2 5.2.6");
static_assert(offsetof(struct virtio_blk_header, sector) == 8, "virtio 1.2 5.2.6");

/* 5.2.6: the data of discard and write zeroes. */
struct virtio_blk_range {
    uint64_t sector;
    uint32_t nr_sectors;
    uint32_t flags; /* bit 0: write zeroes may unmap */
};
static_assert(sizeof(struct virtio_blk_range) == 16, "virtio 1.2 5.2.6");
static_assert(offsetof(struct virtio_blk_range, nr_sectors) == 8, "virtio 1.2 5.2.6");

#define VIRTIO_BLK_ID_BYTES 20u /* no terminator where all are used */

#define VIRTIO_BLK_S_OK     0u
#define VIRTIO_BLK_S_IOERR  1u
#define VIRTIO_BLK_S_UNSUPP 2u
