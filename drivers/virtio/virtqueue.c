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

static void fill_split_table(struct virtq_desc *to, const struct virtqueue_segment *segments, unsigned nr_readable,
                             unsigned nr)
{
    for (unsigned i = 0; i < nr; i++) {
        bool is_last = i + 1 == nr;
        unsigned flags = (i >= nr_readable ? VIRTQ_DESC_WRITE : 0) | (is_last ? 0 : VIRTQ_DESC_NEXT);

        to[i] = (struct virtq_desc){segments[i].base.value, segments[i].length_bytes, (uint16_t)flags,
                                    (uint16_t)(is_last ? 0 : i + 1)};
    }
}

/* The order is the chain, and next and id stay 0 (2.8.7). */
static void fill_packed_table(struct virtq_packed_desc *to, const struct virtqueue_segment *segments,
                              unsigned nr_readable, unsigned nr)
{
    for (unsigned i = 0; i < nr; i++)
        to[i] = (struct virtq_packed_desc){segments[i].base.value, segments[i].length_bytes, 0,
                                           i >= nr_readable ? VIRTQ_DESC_WRITE : 0};
}

/* Fills the first free table; there is one. */
static struct virtqueue_segment table_take(struct virtqueue *queue, const struct virtqueue_segment *segments,
                                           unsigned nr_readable, unsigned nr)
{
    uint16_t table = queue->free_table;
    struct virtq_desc *to = queue->tables + (size_t)table * queue->config.table_length;

    queue->free_table = queue->next_table[table];
    if (queue->config.format == VIRTQUEUE_SPLIT)
        fill_split_table(to, segments, nr_readable, nr);
    else
        fill_packed_table((struct virtq_packed_desc *)to, segments, nr_readable, nr);
    return (struct virtqueue_segment){virtqueue_table_base(queue, table), nr * (uint32_t)sizeof(*to)};
}

static void table_give_back(struct virtqueue *queue, uint16_t table)
{
    if (table == NO_TABLE)
        return;
    queue->next_table[table] = queue->free_table;
    queue->free_table = table;
}

/* ---- submission ---- */

unsigned virtqueue_max_segments(const struct virtqueue *queue)
{
    return queue->config.size; /* no table is longer than that */
}

/* The bytes the device may write; -EINVAL for a chain that no device should see. */
static ALWAYS_INLINE int measure(const struct virtqueue_segment *segment, unsigned nr_readable, unsigned nr_writable,
                                 uint32_t *writable)
{
    const struct virtqueue_segment *end = segment + nr_readable;
    uint64_t total = 0;

    for (; segment < end; segment++)
        if (UNLIKELY(segment->length_bytes == 0))
            return -EINVAL;
    for (end += nr_writable; segment < end; segment++) {
        if (UNLIKELY(segment->length_bytes == 0))
            return -EINVAL;
        total += segment->length_bytes;
    }
    if (UNLIKELY(total > UINT32_MAX))
        return -EINVAL;
    *writable = (uint32_t)total;
    return 0;
}

static ALWAYS_INLINE void note_added(struct virtqueue *queue, uint16_t id, unsigned nr_descriptors, uint16_t table,
                                     uint32_t writable_bytes, void *token)
{
    struct virtqueue_chain *chain = &queue->chains[id];

    chain->token = token;
    chain->writable_bytes = writable_bytes;
    chain->nr_descriptors = (uint16_t)nr_descriptors;
    chain->table = table;
    queue->nr_free = (uint16_t)(queue->nr_free - nr_descriptors);
    queue->nr_in_flight++;
}

static NOINLINE void add_in_table(struct virtqueue *queue, const struct virtqueue_segment *segments,
                                  unsigned nr_readable, unsigned nr, uint32_t writable_bytes, void *token)
{
    uint16_t table = queue->free_table;
    struct virtqueue_segment segment = table_take(queue, segments, nr_readable, nr);
    uint16_t id = queue->operations->add(queue, &segment, 1, 1, VIRTQ_DESC_INDIRECT);

    note_added(queue, id, 1, table, writable_bytes, token);
}

/* A table costs a descriptor more to write and to read, and saves room in the ring: it is worth that once the chain
 * would leave less than half of the ring free. A chain of one gains nothing from it. */
static ALWAYS_INLINE bool wants_table(const struct virtqueue *queue, unsigned nr)
{
    if (LIKELY(nr + queue->config.size / 2u <= queue->nr_free))
        return false;
    return nr > 1 && nr <= queue->config.table_length && queue->free_table != NO_TABLE && queue->nr_free > 0;
}

int virtqueue_add(struct virtqueue *queue, const struct virtqueue_segment *segments, unsigned nr_readable,
                  unsigned nr_writable, void *token)
{
    unsigned nr = nr_readable + nr_writable;
    uint32_t writable_bytes = 0; /* for the compiler, which does not follow measure in every build */

    if (UNLIKELY(queue->fault != VIRTQUEUE_SOUND))
        return -EIO;
    if (UNLIKELY(token == NULL || nr < nr_readable || nr == 0 || nr > queue->config.size ||
                 measure(segments, nr_readable, nr_writable, &writable_bytes) != 0))
        return -EINVAL;
    if (wants_table(queue, nr)) {
        add_in_table(queue, segments, nr_readable, nr, writable_bytes, token);
        return 0;
    }
    if (nr > queue->nr_free)
        return -EAGAIN;
    note_added(queue, queue->operations->add(queue, segments, nr_readable, nr, 0), nr, NO_TABLE, writable_bytes, token);
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

NO_CANARY int virtqueue_reap(struct virtqueue *queue, void **token, uint32_t *length_bytes)
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
