/* Virtqueues: what does not depend on the ring's format. Checks come here, before a format's code changes anything. */
#include <virtio/virtqueue.h>

#include <base/align.h>
#include <base/assert.h>
#include <lib/string.h>

#include "ring.h"

#define CACHE_LINE 64u

/* ---- layout ---- */

static bool is_possible(const struct virtqueue_config *config)
{
    if (config->size == 0 || config->size > VIRTQ_SIZE_MAX)
        return false;
    if (config->format == VIRTQUEUE_SPLIT && !is_power_of_two(config->size))
        return false;
    if (config->format == VIRTQUEUE_PACKED && config->is_legacy)
        return false;
    if (config->nr_tables == 0)
        return true;
    /* 2.7.5.3.1: a table is no longer than the ring. */
    return config->nr_tables != NO_TABLE && config->table_length >= 1 && config->table_length <= config->size;
}

int virtqueue_plan(const struct virtqueue_config *config, struct virtqueue_layout *layout)
{
    size_t descriptors = (size_t)config->size * sizeof(struct virtq_desc);

    if (!is_possible(config))
        return -EINVAL;
    *layout = (struct virtqueue_layout){.driver_offset = descriptors};
    if (config->format == VIRTQUEUE_SPLIT) {
        size_t avail = sizeof(struct virtq_avail) + sizeof(uint16_t) * (config->size + 1u);
        size_t used = sizeof(struct virtq_used) + sizeof(struct virtq_used_element) * config->size + sizeof(uint16_t);

        layout->device_offset = align_up(descriptors + avail, config->is_legacy ? VIRTQ_LEGACY_ALIGNMENT : CACHE_LINE);
        layout->ring_bytes = layout->device_offset + used;
    } else {
        layout->driver_offset = align_up(descriptors, CACHE_LINE);
        layout->device_offset = layout->driver_offset + CACHE_LINE;
        layout->ring_bytes = layout->device_offset + sizeof(struct virtq_packed_event);
    }
    layout->tables_bytes = (size_t)config->nr_tables * config->table_length * sizeof(struct virtq_desc);
    layout->private_bytes =
        config->size * sizeof(struct virtqueue_chain) + align_up(config->nr_tables * sizeof(uint16_t), 8);
    return 0;
}

static void free_all(struct virtqueue *queue)
{
    for (uint16_t i = 0; i < queue->config.size; i++)
        queue->chains[i] = (struct virtqueue_chain){.next = (uint16_t)(i + 1u), .table = NO_TABLE};
    for (uint16_t i = 0; i < queue->config.nr_tables; i++)
        queue->next_table[i] = i + 1u < queue->config.nr_tables ? (uint16_t)(i + 1u) : NO_TABLE;
    queue->free_table = queue->config.nr_tables ? 0 : NO_TABLE;
    queue->nr_free = queue->config.size;
}

int virtqueue_init(struct virtqueue *queue, const struct virtqueue_config *config,
                   const struct virtqueue_memory *memory)
{
    struct virtqueue_layout layout;
    int result = virtqueue_plan(config, &layout);
    char *ring = memory->ring;

    if (result != 0)
        return result;
    memset(ring, 0, layout.ring_bytes);
    *queue = (struct virtqueue){
        .config = *config,
        .operations = config->format == VIRTQUEUE_SPLIT ? &virtqueue_split : &virtqueue_packed,
        .descriptors = ring,
        .driver_area = ring + layout.driver_offset,
        .device_area = ring + layout.device_offset,
        .tables = memory->tables,
        .tables_base = memory->tables_base,
        .chains = memory->private,
    };
    queue->next_table = (uint16_t *)(queue->chains + config->size);
    free_all(queue);
    queue->operations->reset(queue);
    return 0;
}

/* ---- indirect tables ---- */

paddr_t virtqueue_table_base(const struct virtqueue *queue, uint16_t table)
{
    return paddr_add(queue->tables_base, (uint64_t)table * queue->config.table_length * sizeof(struct virtq_desc));
}

static uint16_t table_take(struct virtqueue *queue, const struct virtqueue_segment *segments, unsigned nr_readable,
                           unsigned nr)
{
    uint16_t table = queue->free_table;
    struct virtq_desc *to = queue->tables + (size_t)table * queue->config.table_length;
    bool is_split = queue->config.format == VIRTQUEUE_SPLIT;

    queue->free_table = queue->next_table[table];
    for (unsigned i = 0; i < nr; i++) {
        unsigned flags = i >= nr_readable ? VIRTQ_DESC_WRITE : 0;

        /* In a packed ring's table the order is the chain, and next and id stay 0 (2.8.7). */
        if (is_split && i + 1 < nr)
            flags |= VIRTQ_DESC_NEXT;
        if (is_split)
            to[i] = (struct virtq_desc){segments[i].base.value, segments[i].length_bytes, (uint16_t)flags,
                                        (uint16_t)(i + 1 < nr ? i + 1 : 0)};
        else
            ((struct virtq_packed_desc *)to)[i] =
                (struct virtq_packed_desc){segments[i].base.value, segments[i].length_bytes, 0, (uint16_t)flags};
    }
    return table;
}

static void table_give_back(struct virtqueue *queue, uint16_t table)
{
    if (table == NO_TABLE)
        return;
    queue->next_table[table] = queue->free_table;
    queue->free_table = table;
}

/* ---- submission ---- */

static unsigned max_table(const struct virtqueue *queue)
{
    return queue->config.nr_tables ? queue->config.table_length : 0;
}

unsigned virtqueue_max_segments(const struct virtqueue *queue)
{
    return queue->config.size; /* no table is longer than that */
}

/* The bytes the device may write; -EINVAL for a chain that no device should see. */
static int measure(const struct virtqueue_segment *segments, unsigned nr_readable, unsigned nr, uint32_t *writable)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < nr; i++) {
        if (segments[i].length_bytes == 0)
            return -EINVAL;
        if (i >= nr_readable)
            total += segments[i].length_bytes;
    }
    if (total > UINT32_MAX)
        return -EINVAL;
    *writable = (uint32_t)total;
    return 0;
}

int virtqueue_add(struct virtqueue *queue, const struct virtqueue_segment *segments, unsigned nr_readable,
                  unsigned nr_writable, void *token)
{
    unsigned nr = nr_readable + nr_writable;
    struct virtqueue_chain chain = {.token = token, .nr_descriptors = 1, .table = NO_TABLE};
    struct virtqueue_segment table_segment;
    int result;

    if (queue->fault != VIRTQUEUE_SOUND)
        return -EIO;
    if (token == NULL || nr < nr_readable || nr == 0 || nr > virtqueue_max_segments(queue))
        return -EINVAL;
    result = measure(segments, nr_readable, nr, &chain.writable_bytes);
    if (result != 0)
        return result;
    /* A chain of one gains nothing from a table. */
    if (nr > 1 && nr <= max_table(queue) && queue->free_table != NO_TABLE && queue->nr_free > 0) {
        chain.table = table_take(queue, segments, nr_readable, nr);
        table_segment.base = virtqueue_table_base(queue, chain.table);
        table_segment.length_bytes = nr * (uint32_t)sizeof(struct virtq_desc);
        segments = &table_segment;
        nr = nr_readable = 1;
    } else if (nr > queue->nr_free) {
        return -EAGAIN;
    }
    chain.nr_descriptors = (uint16_t)nr;
    queue->operations->add(queue, segments, nr_readable, nr, chain);
    queue->nr_free = (uint16_t)(queue->nr_free - nr);
    queue->nr_in_flight++;
    return 0;
}

bool virtqueue_must_notify(struct virtqueue *queue)
{
    uint32_t nr_added = queue->nr_unannounced;

    if (queue->fault != VIRTQUEUE_SOUND || nr_added == 0)
        return false;
    queue->nr_unannounced = 0;
    return queue->operations->must_notify(queue, nr_added);
}

/* ---- completion ---- */

int virtqueue_break(struct virtqueue *queue, enum virtqueue_fault fault)
{
    if (queue->fault == VIRTQUEUE_SOUND)
        queue->fault = fault;
    return -EIO;
}

static void *chain_end(struct virtqueue *queue, uint16_t id)
{
    struct virtqueue_chain *chain = &queue->chains[id];
    void *token = chain->token;

    table_give_back(queue, chain->table);
    chain->table = NO_TABLE;
    chain->token = NULL;
    queue->nr_in_flight--;
    return token;
}

int virtqueue_reap(struct virtqueue *queue, void **token, uint32_t *length_bytes)
{
    struct virtqueue_chain *chain;
    uint32_t id, length;
    int result;

    if (queue->fault != VIRTQUEUE_SOUND)
        return -EIO;
    result = queue->operations->peek(queue, &id, &length);
    if (result <= 0)
        return result;
    if (id >= queue->config.size)
        return virtqueue_break(queue, VIRTQUEUE_BAD_ID);
    chain = &queue->chains[id];
    if (chain->token == NULL)
        return virtqueue_break(queue, VIRTQUEUE_IDLE_ID);
    if (length > chain->writable_bytes && !queue->config.is_legacy)
        return virtqueue_break(queue, VIRTQUEUE_BAD_LENGTH);
    *length_bytes = length > chain->writable_bytes ? chain->writable_bytes : length;
    queue->operations->pass(queue, (uint16_t)id);
    *token = chain_end(queue, (uint16_t)id);
    return 1;
}

void virtqueue_disable_interrupts(struct virtqueue *queue)
{
    queue->operations->disable_interrupts(queue);
}

bool virtqueue_enable_interrupts(struct virtqueue *queue)
{
    if (queue->fault != VIRTQUEUE_SOUND)
        return false;
    queue->operations->enable_interrupts(queue);
    /* The wish must be visible before the look: else the device completes after our look, sees interrupts off, and
     * nobody ever reaps. Pairs with the device's barrier between its completion and its look at our wish
     * (2.7.7.2, 2.8.10). */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return queue->operations->has_completion(queue);
}

/* ---- the end of a queue ---- */

void virtqueue_stop(struct virtqueue *queue)
{
    virtqueue_break(queue, VIRTQUEUE_STOPPED);
}

void *virtqueue_detach(struct virtqueue *queue)
{
    ASSERT(queue->fault != VIRTQUEUE_SOUND);
    for (uint16_t id = 0; queue->nr_in_flight > 0 && id < queue->config.size; id++)
        if (queue->chains[id].token != NULL)
            return chain_end(queue, id);
    return NULL;
}

const char *virtqueue_fault_name(enum virtqueue_fault fault)
{
    static const char *const names[] = {
        [VIRTQUEUE_SOUND] = "sound",
        [VIRTQUEUE_BAD_ID] = "the device returned an id that does not exist",
        [VIRTQUEUE_IDLE_ID] = "the device returned a buffer it did not have",
        [VIRTQUEUE_BAD_LENGTH] = "the device claims to have written more than the buffer holds",
        [VIRTQUEUE_BAD_INDEX] = "the device's index jumped",
        [VIRTQUEUE_STOPPED] = "stopped",
    };

    static_assert(ARRAY_SIZE(names) == VIRTQUEUE_NR_FAULTS, "a name for each");
    return fault < VIRTQUEUE_NR_FAULTS ? names[fault] : "unknown";
}
