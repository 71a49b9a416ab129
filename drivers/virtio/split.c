/* The split ring (virtio 1.2 2.7). A chain's id is its first descriptor; free descriptors and the descriptors of a
 * chain are linked in our own chains[].next, the table in shared memory is only written. */
#include "ring.h"

#define avail_of(queue) ((struct virtq_avail *)(queue)->driver_area)
#define used_of(queue)  ((struct virtq_used *)(queue)->device_area)

static uint16_t *used_event(struct virtqueue *queue)
{
    return &avail_of(queue)->ring[queue->config.size];
}

static const uint16_t *avail_event(const struct virtqueue *queue)
{
    return (const uint16_t *)&used_of(queue)->ring[queue->config.size];
}

static uint16_t slot_of(const struct virtqueue *queue, uint16_t index)
{
    return (uint16_t)(index & (queue->config.size - 1u));
}

/* Writes nr descriptors of a chain into the free ones from `at` on, each with these flags; returns the one behind. */
static ALWAYS_INLINE uint16_t write_descriptors(struct virtqueue *queue, const struct virtqueue_segment *segment,
                                                const struct virtqueue_segment *end, uint16_t at, uint16_t flags)
{
    const struct virtqueue_chain *chains = queue->chains;
    struct virtq_desc *table = queue->descriptors;

    for (; segment < end; segment++) {
        uint16_t next = chains[at].next;

        table[at] = (struct virtq_desc){segment->base.value, segment->length_bytes, flags, next};
        at = next;
    }
    return at;
}

static uint16_t split_add(struct virtqueue *queue, const struct virtqueue_segment *segments, unsigned nr_readable,
                          unsigned nr, unsigned flags)
{
    const struct virtqueue_segment *last = segments + nr - 1;
    const struct virtqueue_segment *writable = nr_readable < nr ? segments + nr_readable : last;
    uint16_t head = queue->free_chain, at = head;

    at = write_descriptors(queue, segments, writable, at, VIRTQ_DESC_NEXT);
    at = write_descriptors(queue, writable, last, at, VIRTQ_DESC_NEXT | VIRTQ_DESC_WRITE);
    flags |= nr_readable < nr ? VIRTQ_DESC_WRITE : 0;
    at = write_descriptors(queue, last, last + 1, at, (uint16_t)flags);
    queue->free_chain = at;
    avail_of(queue)->ring[slot_of(queue, queue->next_avail)] = head;
    queue->next_avail++;
    /* Descriptors and ring entry before the index that shows them; pairs with the device's read of the index
     * (2.7.13.3). */
    __atomic_store_n(&avail_of(queue)->index, queue->next_avail, __ATOMIC_RELEASE);
    queue->nr_unannounced++;
    return head;
}

static bool split_must_notify(struct virtqueue *queue, uint32_t nr_added)
{
    /* Our index must be visible before we look whether the device sleeps: pairs with the device's barrier between
     * asking for a notification and its last look at the index (2.7.13.4.1). */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!queue->config.has_event_index)
        return !(READ_ONCE(used_of(queue)->flags) & VIRTQ_USED_NO_NOTIFY);
    if (nr_added > UINT16_MAX)
        return true; /* once around: the comparison cannot tell */
    return virtqueue_passes(READ_ONCE(*avail_event(queue)), queue->next_avail,
                            (uint16_t)(queue->next_avail - nr_added));
}

static int split_peek(struct virtqueue *queue, uint32_t *id, uint32_t *length_bytes)
{
    const struct virtq_used_element *element;

    if (queue->next_used == queue->used_limit) {
        /* The index before the elements it shows; pairs with the device's store of the index. */
        uint16_t index = __atomic_load_n(&used_of(queue)->index, __ATOMIC_ACQUIRE);

        if ((uint16_t)(index - queue->next_used) > queue->nr_in_flight)
            return virtqueue_break(queue, VIRTQUEUE_BAD_INDEX);
        queue->used_limit = index;
        if (index == queue->next_used)
            return 0;
    }
    element = &used_of(queue)->ring[slot_of(queue, queue->next_used)];
    *id = READ_ONCE(element->id);
    *length_bytes = READ_ONCE(element->length_bytes);
    return 1;
}

static void split_pass(struct virtqueue *queue, uint16_t id)
{
    uint16_t nr = queue->chains[id].nr_descriptors, last = id;

    for (unsigned i = 1; i < nr; i++)
        last = queue->chains[last].next;
    queue->chains[last].next = queue->free_chain;
    queue->free_chain = id;
    queue->nr_free = (uint16_t)(queue->nr_free + nr);
    queue->next_used++;
}

static void split_disable_interrupts(struct virtqueue *queue)
{
    /* With event index the flag is ignored: name an index as far away as can be. */
    if (queue->config.has_event_index)
        WRITE_ONCE(*used_event(queue), (uint16_t)(queue->next_used - 1u));
    else
        WRITE_ONCE(avail_of(queue)->flags, (uint16_t)VIRTQ_AVAIL_NO_INTERRUPT);
}

static void split_enable_interrupts(struct virtqueue *queue)
{
    if (queue->config.has_event_index)
        WRITE_ONCE(*used_event(queue), queue->next_used);
    else
        WRITE_ONCE(avail_of(queue)->flags, (uint16_t)0);
}

static bool split_has_completion(const struct virtqueue *queue)
{
    return READ_ONCE(used_of(queue)->index) != queue->next_used;
}

static void split_reset(struct virtqueue *queue)
{
    (void)queue; /* zero is an empty ring with interrupts on */
}

const struct virtqueue_operations virtqueue_split = {
    .add = split_add,
    .must_notify = split_must_notify,
    .peek = split_peek,
    .pass = split_pass,
    .disable_interrupts = split_disable_interrupts,
    .enable_interrupts = split_enable_interrupts,
    .has_completion = split_has_completion,
    .reset = split_reset,
};
