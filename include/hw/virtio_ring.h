/* Virtqueues as they lie in shared memory (virtio 1.2 2.7, 2.8). Wire format only; drivers/virtio/ has the code. All
 * values are little-endian, as x86 is. */
#pragma once

#include <base/assert.h>
#include <base/types.h>

#define VIRTQ_DESC_NEXT     (1u << 0) /* the chain goes on in `next`, or in the packed ring's next slot */
#define VIRTQ_DESC_WRITE    (1u << 1) /* the device writes it; otherwise it reads it */
#define VIRTQ_DESC_INDIRECT (1u << 2) /* it holds a table of descriptors */

/* Split ring, 2.7.5. */
struct virtq_desc {
    uint64_t base;
    uint32_t length_bytes;
    uint16_t flags;
    uint16_t next;
};
static_assert(sizeof(struct virtq_desc) == 16, "virtio 1.2 2.7.5");
static_assert(offsetof(struct virtq_desc, length_bytes) == 8, "virtio 1.2 2.7.5");
static_assert(offsetof(struct virtq_desc, flags) == 12, "virtio 1.2 2.7.5");
static_assert(offsetof(struct virtq_desc, next) == 14, "virtio 1.2 2.7.5");

#define VIRTQ_AVAIL_NO_INTERRUPT (1u << 0)

/* 2.7.6. Behind the ring lies one more: used_event. */
struct virtq_avail {
    uint16_t flags;
    uint16_t index;
    uint16_t ring[];
};
static_assert(offsetof(struct virtq_avail, ring) == 4, "virtio 1.2 2.7.6");
static_assert(offsetof(struct virtq_avail, index) == 2, "virtio 1.2 2.7.6");

struct virtq_used_element {
    uint32_t id;
    uint32_t length_bytes; /* written by the device */
};
static_assert(sizeof(struct virtq_used_element) == 8, "virtio 1.2 2.7.8");
static_assert(offsetof(struct virtq_used_element, length_bytes) == 4, "virtio 1.2 2.7.8");

#define VIRTQ_USED_NO_NOTIFY (1u << 0)

/* 2.7.8. Behind the ring lies a uint16_t: avail_event. */
struct virtq_used {
    uint16_t flags;
    uint16_t index;
    struct virtq_used_element ring[];
};
static_assert(offsetof(struct virtq_used, ring) == 4, "virtio 1.2 2.7.8");
static_assert(offsetof(struct virtq_used, index) == 2, "virtio 1.2 2.7.8");

/* Packed ring, 2.8.13. */
struct virtq_packed_desc {
    uint64_t base;
    uint32_t length_bytes;
    uint16_t id;
    uint16_t flags;
};
static_assert(sizeof(struct virtq_packed_desc) == 16, "virtio 1.2 2.8.13");
static_assert(offsetof(struct virtq_packed_desc, length_bytes) == 8, "virtio 1.2 2.8.13");
static_assert(offsetof(struct virtq_packed_desc, id) == 12, "virtio 1.2 2.8.13");
static_assert(offsetof(struct virtq_packed_desc, flags) == 14, "virtio 1.2 2.8.13");

#define VIRTQ_PACKED_AVAIL (1u << 7)
#define VIRTQ_PACKED_USED  (1u << 15)

/* 2.8.10: when the other side wants to hear. One 32-bit word, offset_wrap low, so that it is read whole. */
struct virtq_packed_event {
    uint16_t offset_wrap; /* a slot, and in bit 15 the wrap counter */
    uint16_t flags;
};
static_assert(sizeof(struct virtq_packed_event) == 4, "virtio 1.2 2.8.10");
static_assert(offsetof(struct virtq_packed_event, flags) == 2, "virtio 1.2 2.8.10");

#define VIRTQ_PACKED_EVENT_WRAP    (1u << 15)
#define VIRTQ_PACKED_EVENT_ENABLE  0u
#define VIRTQ_PACKED_EVENT_DISABLE 1u
#define VIRTQ_PACKED_EVENT_DESC    2u /* only with the event index feature */
#define VIRTQ_PACKED_EVENT_MASK    3u

#define VIRTQ_SIZE_MAX         32768u /* of either ring */
#define VIRTQ_LEGACY_ALIGNMENT 4096u  /* of the used ring in a legacy device, 2.7.2 */
