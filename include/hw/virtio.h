/* What all virtio devices share: device ids, status bits and feature bits (virtio 1.2 2.1, 2.2, 5, 6). */
#pragma once

#include <base/types.h>

#define VIRTIO_ID_BLOCK   2u
#define VIRTIO_ID_ENTROPY 4u

/* 2.1 */
#define VIRTIO_STATUS_ACKNOWLEDGE 0x01u
#define VIRTIO_STATUS_DRIVER      0x02u
#define VIRTIO_STATUS_DRIVER_OK   0x04u
#define VIRTIO_STATUS_FEATURES_OK 0x08u
#define VIRTIO_STATUS_NEEDS_RESET 0x40u
#define VIRTIO_STATUS_FAILED      0x80u
#define VIRTIO_STATUS_GONE        0xffu /* what an unplugged device reads */

/* Chapter 6; bits 0 to 23 and 50 to 127 are each device type's own. */
#define VIRTIO_F_INDIRECT_DESC   (1ull << 28)
#define VIRTIO_F_EVENT_IDX       (1ull << 29)
#define VIRTIO_F_VERSION_1       (1ull << 32)
#define VIRTIO_F_ACCESS_PLATFORM (1ull << 33)
#define VIRTIO_F_RING_PACKED     (1ull << 34)

#define VIRTIO_DEVICE_FEATURES 0x00ffffffull /* the device type's own that the legacy interface can carry, too */
#define VIRTIO_LEGACY_FEATURES 0xffffffffull /* all the legacy interface can carry, 6.3 */
