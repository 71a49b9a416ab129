/* The packed ring (virtio 1.2 2.8). The device overwrites the slots of a chain it returns, at its own place in the ring
 * and with the id alone to say which: how many slots that id had is in our chains[]. A slot is used when both its bits
 * equal our wrap counter; what we or the device left there a round ago never looks so, so a slot that does while
 * nothing is in flight is a lie (V1). */
#include "ring.h"

static struct virtq_packed_desc *slot_at(const struct virtqueue *queue, uint16_t slot)
{
    return (struct virtq_packed_desc *)queue->descriptors + slot;
}

/* Both bits of a slot made available in this round; the next round swaps them. */
static unsigned availability(const struct virtqueue *queue)
{
    return queue->avail_wrap ? VIRTQ_PACKED_AVAIL : VIRTQ_PACKED_USED;
}

static ALWAYS_INLINE void fill(struct virtq_packed_desc *to, const struct virtqueue_segment *segment, uint16_t id)
{
    WRITE_ONCE(to->base, segment->base.value);
    WRITE_ONCE(to->length_bytes, segment->length_bytes);
    WRITE_ONCE(to->id, id);
}

/* The head is the last to be written: its flags show the whole chain. */
static uint16_t packed_add(struct virtqueue *queue, const struct virtqueue_segment *segments, unsigned nr_readable,
                           unsigned nr, unsigned chain_flags)
{
    const struct virtqueue_segment *writable = segments + nr_readable, *last = segments + nr - 1;
    uint16_t id = queue->free_chain, size = queue->config.size;
    struct virtq_packed_desc *ring = slot_at(queue, 0), *head = ring + queue->next_avail, *to = head;
    unsigned available = availability(queue), flags = chain_flags | available | (nr_readable ? 0 : VIRTQ_DESC_WRITE);
    unsigned head_flags = flags | (nr > 1 ? VIRTQ_DESC_NEXT : 0);

    fill(head, segments, id);
    for (const struct virtqueue_segment *segment = segments;;) {
        if (++to == ring + size) {
            to = ring;
            flags ^= VIRTQ_PACKED_AVAIL | VIRTQ_PACKED_USED;
        }
        if (++segment > last)
            break;
        if (segment == writable)
            flags |= VIRTQ_DESC_WRITE;
        fill(to, segment, id);
        WRITE_ONCE(to->flags, (uint16_t)(segment < last ? flags | VIRTQ_DESC_NEXT : flags));
    }
    queue->next_avail = (uint16_t)(to - ring);
    queue->avail_wrap = flags & VIRTQ_PACKED_AVAIL;
    queue->free_chain = queue->chains[id].next;
    /* The whole chain before the flags that show it; pairs with the device's read of them (2.8.21.3.2). */
    __atomic_store_n(&head->flags, (uint16_t)head_flags, __ATOMIC_RELEASE);
    queue->nr_unannounced += nr;
    return id;
}

static bool packed_must_notify(struct virtqueue *queue, uint32_t nr_added)
{
    struct virtq_packed_event event;
    uint32_t word;
    uint16_t slot;

    /* As split_must_notify. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    word = __atomic_load_n((const uint32_t *)queue->device_area, __ATOMIC_RELAXED);
    event = (struct virtq_packed_event){(uint16_t)word, (uint16_t)(word >> 16)};
    if ((event.flags & VIRTQ_PACKED_EVENT_MASK) == VIRTQ_PACKED_EVENT_DISABLE)
        return false;
    if ((event.flags & VIRTQ_PACKED_EVENT_MASK) != VIRTQ_PACKED_EVENT_DESC || nr_added >= queue->config.size)
        return true;
    slot = event.offset_wrap & (uint16_t)~VIRTQ_PACKED_EVENT_WRAP;
    /* A slot of the round before lies below zero. */
    if (!!(event.offset_wrap & VIRTQ_PACKED_EVENT_WRAP) != queue->avail_wrap)
        slot = (uint16_t)(slot - queue->config.size);
    return virtqueue_passes(slot, queue->next_avail, (uint16_t)(queue->next_avail - nr_added));
}

static bool is_used(const struct virtqueue *queue, uint16_t flags)
{
    return !!(flags & VIRTQ_PACKED_AVAIL) == queue->used_wrap && !!(flags & VIRTQ_PACKED_USED) == queue->used_wrap;
}

static int packed_peek(struct virtqueue *queue, uint32_t *id, uint32_t *length_bytes)
{
    const struct virtq_packed_desc *slot = slot_at(queue, queue->next_used);

    /* The flags before the rest; pairs with the device's store of them. */
    if (!is_used(queue, __atomic_load_n(&slot->flags, __ATOMIC_ACQUIRE)))
        return 0;
    *id = READ_ONCE(slot->id);
    *length_bytes = READ_ONCE(slot->length_bytes);
    return 1;
}

static void packed_pass(struct virtqueue *queue, uint16_t id)
{
    uint16_t nr = queue->chains[id].nr_descriptors;
    uint32_t slot = (uint32_t)queue->next_used + nr;

    if (slot >= queue->config.size) {
        slot -= queue->config.size;
        queue->used_wrap = !queue->used_wrap;
    }
    queue->next_used = (uint16_t)slot;
    queue->chains[id].next = queue->free_chain;
    queue->free_chain = id;
    queue->nr_free = (uint16_t)(queue->nr_free + nr);
}

static void set_event(struct virtqueue *queue, uint16_t flags)
{
    struct virtq_packed_event *event = queue->driver_area;

    /* Place first, then the flags that make it count. */
    WRITE_ONCE(event->offset_wrap, (uint16_t)(queue->next_used | (queue->used_wrap ? VIRTQ_PACKED_EVENT_WRAP : 0)));
    __atomic_store_n(&event->flags, flags, __ATOMIC_RELEASE);
}

static void packed_disable_interrupts(struct virtqueue *queue)
{
    struct virtq_packed_event *event = queue->driver_area;

    WRITE_ONCE(event->flags, (uint16_t)VIRTQ_PACKED_EVENT_DISABLE);
}

static void packed_enable_interrupts(struct virtqueue *queue)
{
    set_event(queue, queue->config.has_event_index ? VIRTQ_PACKED_EVENT_DESC : VIRTQ_PACKED_EVENT_ENABLE);
}

static bool packed_has_completion(const struct virtqueue *queue)
{
    return is_used(queue, READ_ONCE(slot_at(queue, queue->next_used)->flags));
}

static void packed_reset(struct virtqueue *queue)
{
    queue->avail_wrap = queue->used_wrap = true; /* 2.8.1 */
}

const struct virtqueue_operations virtqueue_packed = {
    .add = packed_add,
    .must_notify = packed_must_notify,
    .peek = packed_peek,
    .pass = packed_pass,
    .disable_interrupts = packed_disable_interrupts,
    .enable_interrupts = packed_enable_interrupts,
    .has_completion = packed_has_completion,
    .reset = packed_reset,
};
