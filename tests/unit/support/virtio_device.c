#include "virtio_device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hw/virtio_ring.h>

#include "random.h"

#define CHECK(condition)                                                                                \
    do {                                                                                                \
        if (!(condition)) {                                                                             \
            fprintf(stderr, "%s:%d: the driver broke the rules: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                                    \
        }                                                                                               \
    } while (0)

#define load(pointer)         __atomic_load_n(pointer, __ATOMIC_ACQUIRE)
#define store(pointer, value) __atomic_store_n(pointer, value, __ATOMIC_RELEASE)
#define barrier()             __atomic_thread_fence(__ATOMIC_SEQ_CST)

static bool is_split(const struct virtio_model *model)
{
    return model->config.format == VIRTQUEUE_SPLIT;
}

static struct virtq_avail *avail(const struct virtio_model *model)
{
    return model->driver_area;
}

static struct virtq_used *used(const struct virtio_model *model)
{
    return model->device_area;
}

static uint16_t *used_event(const struct virtio_model *model)
{
    return &avail(model)->ring[model->config.size];
}

static uint16_t *avail_event(const struct virtio_model *model)
{
    return (uint16_t *)&used(model)->ring[model->config.size];
}

void model_init(struct virtio_model *model, const struct virtqueue *queue)
{
    *model = (struct virtio_model){
        .config = queue->config,
        .descriptors = queue->descriptors,
        .driver_area = queue->driver_area,
        .device_area = queue->device_area,
        .avail_wrap = true,
        .used_wrap = true,
    };
}

static void chain_add(struct model_chain *chain, uint64_t base, uint32_t length_bytes, bool is_writable)
{
    CHECK(chain->nr < MODEL_SEGMENTS_MAX && length_bytes > 0);
    CHECK(is_writable || chain->nr == chain->nr_readable); /* 2.7.4.2: readable ones first */
    chain->segments[chain->nr].base = (uint8_t *)(uintptr_t)base;
    chain->segments[chain->nr].length_bytes = length_bytes;
    chain->nr++;
    if (!is_writable)
        chain->nr_readable++;
}

/* ---- split ---- */

static void walk_split(const struct virtio_model *model, const struct virtq_desc *table, unsigned length, uint16_t at,
                       struct model_chain *chain)
{
    for (unsigned steps = 1;; steps++) {
        struct virtq_desc descriptor;

        CHECK(at < length && steps <= model->config.size);
        descriptor = table[at];
        CHECK(!(descriptor.flags & ~(VIRTQ_DESC_NEXT | VIRTQ_DESC_WRITE | VIRTQ_DESC_INDIRECT)));
        if (table == model->descriptors)
            chain->nr_slots++;
        if (descriptor.flags & VIRTQ_DESC_INDIRECT) {
            CHECK(model->config.nr_tables > 0 && table == model->descriptors && steps == 1);
            CHECK(!(descriptor.flags & VIRTQ_DESC_NEXT) && descriptor.length_bytes % sizeof(descriptor) == 0);
            walk_split(model, (const struct virtq_desc *)(uintptr_t)descriptor.base,
                       descriptor.length_bytes / (unsigned)sizeof(descriptor), 0, chain);
            return;
        }
        chain_add(chain, descriptor.base, descriptor.length_bytes, descriptor.flags & VIRTQ_DESC_WRITE);
        if (!(descriptor.flags & VIRTQ_DESC_NEXT))
            return;
        at = descriptor.next;
    }
}

static bool take_split(struct virtio_model *model, struct model_chain *chain)
{
    uint16_t index = load(&avail(model)->index);

    CHECK((uint16_t)(index - model->next_avail) <= model->config.size);
    if (index == model->next_avail)
        return false;
    chain->id = avail(model)->ring[model->next_avail++ % model->config.size];
    walk_split(model, model->descriptors, model->config.size, chain->id, chain);
    return true;
}

/* ---- packed ---- */

static bool is_available(const struct virtio_model *model, uint16_t flags)
{
    return !!(flags & VIRTQ_PACKED_AVAIL) == model->avail_wrap && !!(flags & VIRTQ_PACKED_USED) != model->avail_wrap;
}

static void walk_packed_table(const struct virtio_model *model, const struct virtq_packed_desc *head,
                              struct model_chain *chain)
{
    const struct virtq_packed_desc *table = (const struct virtq_packed_desc *)(uintptr_t)head->base;

    CHECK(model->config.nr_tables > 0 && !(head->flags & VIRTQ_DESC_NEXT) && head->length_bytes % sizeof(*table) == 0);
    for (unsigned i = 0; i < head->length_bytes / sizeof(*table); i++) {
        CHECK(!(table[i].flags & ~VIRTQ_DESC_WRITE));
        chain_add(chain, table[i].base, table[i].length_bytes, table[i].flags & VIRTQ_DESC_WRITE);
    }
}

static bool take_packed(struct virtio_model *model, struct model_chain *chain)
{
    struct virtq_packed_desc *ring = model->descriptors, *slot;
    uint16_t flags = load(&ring[model->next_avail].flags);

    if (!is_available(model, flags))
        return false;
    do {
        slot = &ring[model->next_avail];
        flags = slot->flags;
        CHECK(is_available(model, flags) && chain->nr_slots < model->config.size);
        chain->nr_slots++;
        chain->id = slot->id;
        if (flags & VIRTQ_DESC_INDIRECT)
            walk_packed_table(model, slot, chain);
        else
            chain_add(chain, slot->base, slot->length_bytes, flags & VIRTQ_DESC_WRITE);
        if (++model->next_avail == model->config.size) {
            model->next_avail = 0;
            model->avail_wrap = !model->avail_wrap;
        }
    } while (flags & VIRTQ_DESC_NEXT);
    return true;
}

/* ---- both ---- */

bool model_take(struct virtio_model *model, struct model_chain *chain)
{
    chain->nr = chain->nr_readable = chain->nr_slots = 0;
    return is_split(model) ? take_split(model, chain) : take_packed(model, chain);
}

void model_write_used(struct virtio_model *model, uint32_t id, uint32_t length_bytes)
{
    if (is_split(model)) {
        used(model)->ring[model->next_used % model->config.size] = (struct virtq_used_element){id, length_bytes};
        store(&used(model)->index, (uint16_t)(model->next_used + 1));
    } else {
        struct virtq_packed_desc *slot = (struct virtq_packed_desc *)model->descriptors + model->next_used;

        slot->id = (uint16_t)id;
        slot->length_bytes = length_bytes;
        store(&slot->flags, (uint16_t)(model->used_wrap ? VIRTQ_PACKED_AVAIL | VIRTQ_PACKED_USED : 0));
    }
}

void model_return(struct virtio_model *model, const struct model_chain *chain, uint32_t length_bytes)
{
    model_write_used(model, chain->id, length_bytes);
    if (is_split(model)) {
        model->next_used++;
        model->nr_silent++;
        return;
    }
    model->next_used = (uint16_t)(model->next_used + chain->nr_slots);
    if (model->next_used >= model->config.size) {
        model->next_used = (uint16_t)(model->next_used - model->config.size);
        model->used_wrap = !model->used_wrap;
    }
    model->nr_silent += chain->nr_slots;
}

/* Is event among the nr indices before next? By counting, not by the driver's formula. */
static bool is_among(uint16_t event, uint16_t next, uint32_t nr)
{
    for (uint32_t i = 1; i <= nr && i <= 0x10000; i++)
        if ((uint16_t)(next - i) == event)
            return true;
    return false;
}

static bool packed_wants_interrupt(struct virtio_model *model, uint32_t nr)
{
    const struct virtq_packed_event *event = model->driver_area;
    uint16_t slot = model->next_used;
    bool wrap = model->used_wrap;

    if ((event->flags & VIRTQ_PACKED_EVENT_MASK) != VIRTQ_PACKED_EVENT_DESC)
        return (event->flags & VIRTQ_PACKED_EVENT_MASK) == VIRTQ_PACKED_EVENT_ENABLE;
    CHECK(model->config.has_event_index);
    for (uint32_t i = 0; i < nr; i++) {
        if (slot == 0) {
            slot = model->config.size;
            wrap = !wrap;
        }
        slot--;
        if (event->offset_wrap == (slot | (wrap ? VIRTQ_PACKED_EVENT_WRAP : 0)))
            return true;
    }
    return false;
}

bool model_must_interrupt(struct virtio_model *model)
{
    uint32_t nr = model->nr_silent;

    model->nr_silent = 0;
    if (nr == 0)
        return false;
    barrier();
    if (!is_split(model))
        return packed_wants_interrupt(model, nr);
    if (!model->config.has_event_index)
        return !(load(&avail(model)->flags) & VIRTQ_AVAIL_NO_INTERRUPT);
    return is_among(load(used_event(model)), model->next_used, nr);
}

void model_poll(struct virtio_model *model)
{
    if (!is_split(model))
        ((struct virtq_packed_event *)model->device_area)->flags = VIRTQ_PACKED_EVENT_DISABLE;
    else if (!model->config.has_event_index)
        store(&used(model)->flags, (uint16_t)VIRTQ_USED_NO_NOTIFY);
}

bool model_sleep(struct virtio_model *model)
{
    if (is_split(model)) {
        if (model->config.has_event_index)
            store(avail_event(model), model->next_avail);
        else
            store(&used(model)->flags, (uint16_t)0);
        barrier();
        return load(&avail(model)->index) != model->next_avail;
    } else {
        struct virtq_packed_event *event = model->device_area;
        struct virtq_packed_desc *ring = model->descriptors;

        event->offset_wrap = (uint16_t)(model->next_avail | (model->avail_wrap ? VIRTQ_PACKED_EVENT_WRAP : 0));
        store(&event->flags,
              (uint16_t)(model->config.has_event_index ? VIRTQ_PACKED_EVENT_DESC : VIRTQ_PACKED_EVENT_ENABLE));
        barrier();
        return is_available(model, load(&ring[model->next_avail].flags));
    }
}

void model_jump(struct virtio_model *model, int distance)
{
    used(model)->index = (uint16_t)(model->next_used + distance);
}

void model_scribble(struct virtio_model *model, uint64_t *random)
{
    for (unsigned i = 0; i < model->config.size; i++) {
        struct virtq_packed_desc *slot = (struct virtq_packed_desc *)model->descriptors + i;
        uint16_t flags = slot->flags;

        memset(slot, (int)random_next(random), sizeof(*slot));
        /* In a packed ring flags are what is said, not a note to oneself. */
        if (!is_split(model))
            slot->flags = flags;
    }
}

uint32_t model_writable_bytes(const struct model_chain *chain)
{
    uint32_t total = 0;

    for (unsigned i = chain->nr_readable; i < chain->nr; i++)
        total += chain->segments[i].length_bytes;
    return total;
}
