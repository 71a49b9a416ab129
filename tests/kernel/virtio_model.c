#include "virtio_model.h"

#include <base/errno.h>
#include <hw/virtio.h>
#include <hw/virtio_ring.h>
#include <irq/chip.h>
#include <lib/string.h>
#include <mm/physmap.h>
#include <virtio/bus.h>

#define QUEUE_SIZE  8
#define ANSWERS_MAX 32 /* in one go */

static struct model *model_of(struct virtio_device *device)
{
    return CONTAINER_OF(device, struct model, device);
}

/* ---- registers ---- */

static uint8_t read_status(struct virtio_device *device)
{
    return model_of(device)->is_gone ? VIRTIO_STATUS_GONE : model_of(device)->status;
}

static void write_status(struct virtio_device *device, uint8_t status)
{
    struct model *model = model_of(device);

    if (status != 0) {
        model->status = status;
        if (status & VIRTIO_STATUS_DRIVER_OK && model->options.refuses_start)
            model->status |= VIRTIO_STATUS_NEEDS_RESET;
        return;
    }
    model->is_enabled = false;
    model->nr_waits = 0;
    if (model->nr_resets++ == 0 || (!model->options.never_resets && model->options.reset_takes == 0))
        model->status = 0;
}

static bool wait_for_reset(struct virtio_device *device)
{
    struct model *model = model_of(device);

    if (model->options.never_resets)
        return ++model->nr_waits < 3;
    if (++model->nr_waits >= model->options.reset_takes)
        model->status = 0;
    return true;
}

static void cut_off(struct virtio_device *device)
{
    model_of(device)->is_cut_off = true;
}

static uint64_t read_features(struct virtio_device *device)
{
    return VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | model_of(device)->options.features |
           (model_of(device)->options.is_packed ? VIRTIO_F_RING_PACKED : VIRTIO_F_EVENT_IDX);
}

static void write_features(struct virtio_device *device, uint64_t features)
{
    (void)device;
    (void)features;
}

static uint16_t queue_size(struct virtio_device *device, uint16_t index)
{
    uint16_t size = model_of(device)->options.queue_size;

    return index != 0 ? 0 : size ? size : QUEUE_SIZE;
}

static int queue_enable(struct virtio_device *device, uint16_t index, const struct virtio_queue_place *place)
{
    struct model *model = model_of(device);

    (void)index;
    model->place = *place;
    model->is_enabled = true;
    model->next_used = model->next_avail = 0;
    model->wrap = true;
    return 0;
}

static bool read_config(struct virtio_device *device, unsigned offset, void *to, size_t length)
{
    struct model *model = model_of(device);

    if (offset > model->options.config_bytes || length > model->options.config_bytes - offset)
        return false;
    memcpy(to, (const uint8_t *)model->options.config + offset, length);
    model->generation = (uint8_t)(model->generation + model->options.is_config_restless);
    return true;
}

static bool write_config8(struct virtio_device *device, unsigned offset, uint8_t value)
{
    (void)value;
    return offset < model_of(device)->options.config_bytes;
}

static uint8_t config_generation(struct virtio_device *device)
{
    return model_of(device)->generation;
}

/* ---- the ring, as the device sees it ---- */

struct answer {
    uint16_t id, nr_slots;
    uint32_t length_bytes;
    uint8_t *last; /* the last byte the device may write */
};

static void write_segment(struct answer *answer, uint64_t base, uint32_t length_bytes)
{
    uint8_t *memory = phys_to_virt(paddr(base));

    memset(memory, MODEL_BYTE, length_bytes);
    answer->length_bytes += length_bytes;
    answer->last = memory + length_bytes - 1;
}

static void walk_split(const struct virtq_desc *table, uint16_t at, struct answer *answer)
{
    const struct virtq_desc *descriptor;

    do {
        descriptor = &table[at];
        if (descriptor->flags & VIRTQ_DESC_INDIRECT)
            walk_split(phys_to_virt(paddr(descriptor->base)), 0, answer);
        else if (descriptor->flags & VIRTQ_DESC_WRITE)
            write_segment(answer, descriptor->base, descriptor->length_bytes);
        at = descriptor->next;
    } while (descriptor->flags & VIRTQ_DESC_NEXT);
}

static bool take_split(struct model *model, struct answer *answer)
{
    const struct virtq_avail *avail = phys_to_virt(model->place.driver_area);

    if (__atomic_load_n(&avail->index, __ATOMIC_ACQUIRE) == model->next_avail)
        return false;
    answer->id = avail->ring[model->next_avail++ & (model->place.size - 1u)];
    walk_split(phys_to_virt(model->place.descriptors), answer->id, answer);
    return true;
}

static struct virtq_packed_desc *slot_at(const struct model *model, unsigned slot)
{
    struct virtq_packed_desc *slots = phys_to_virt(model->place.descriptors);

    return &slots[slot % model->place.size];
}

static void walk_packed_table(const struct virtq_packed_desc *head, struct answer *answer)
{
    const struct virtq_packed_desc *table = phys_to_virt(paddr(head->base));

    for (uint32_t i = 0; i < head->length_bytes / sizeof(*table); i++)
        if (table[i].flags & VIRTQ_DESC_WRITE)
            write_segment(answer, table[i].base, table[i].length_bytes);
}

/* `taken` slots from the place of the next answer on are taken already. */
static bool take_packed(const struct model *model, unsigned taken, struct answer *answer)
{
    unsigned at = model->next_avail + taken;
    bool wrap = model->wrap ^ (at >= model->place.size);
    const struct virtq_packed_desc *slot = slot_at(model, at);
    uint16_t flags = __atomic_load_n(&slot->flags, __ATOMIC_ACQUIRE);

    if (taken == model->place.size || !!(flags & VIRTQ_PACKED_AVAIL) != wrap || !!(flags & VIRTQ_PACKED_USED) == wrap)
        return false;
    do {
        slot = slot_at(model, at++);
        answer->id = slot->id;
        answer->nr_slots++;
        if (slot->flags & VIRTQ_DESC_INDIRECT)
            walk_packed_table(slot, answer);
        else if (slot->flags & VIRTQ_DESC_WRITE)
            write_segment(answer, slot->base, slot->length_bytes);
    } while (slot->flags & VIRTQ_DESC_NEXT);
    return true;
}

static unsigned take_all(struct model *model, struct answer *answers)
{
    unsigned nr = 0, nr_slots = 0;

    for (; nr < ANSWERS_MAX; nr++) {
        answers[nr] = (struct answer){0};
        if (model->options.is_packed ? !take_packed(model, nr_slots, &answers[nr]) : !take_split(model, &answers[nr]))
            break;
        nr_slots += answers[nr].nr_slots;
        if (model->options.has_status && answers[nr].last != NULL)
            *answers[nr].last = model->options.status;
    }
    return nr;
}

static void lie_about(const struct model *model, struct answer *answer)
{
    if (model->options.lie == MODEL_UNKNOWN_ID)
        answer->id = model->place.size;
    if (model->options.lie == MODEL_IDLE_ID)
        answer->id = (uint16_t)((answer->id + 1u) % model->place.size);
    if (model->options.lie == MODEL_TOO_LONG)
        answer->length_bytes++;
}

/* In a packed ring all but the flags, which are what is said there. */
static void scribble(const struct model *model)
{
    for (unsigned i = 0; i < model->place.size; i++) {
        uint16_t flags = slot_at(model, i)->flags;

        memset(slot_at(model, i), 0xff, sizeof(struct virtq_packed_desc));
        if (model->options.is_packed)
            slot_at(model, i)->flags = flags;
    }
}

static void return_split(struct model *model, const struct answer *answer)
{
    struct virtq_used *used = phys_to_virt(model->place.device_area);
    uint16_t mask = (uint16_t)(model->place.size - 1u);

    used->ring[model->next_used & mask] = (struct virtq_used_element){answer->id, answer->length_bytes};
    used->ring[(model->next_used + 1u) & mask] = used->ring[model->next_used & mask];
    model->next_used++;
    if (model->options.lie == MODEL_TWICE)
        model->next_used++;
    if (model->options.lie == MODEL_INDEX_JUMPS)
        model->next_used = (uint16_t)(model->next_used + 100u);
    if (model->options.lie == MODEL_INDEX_BACK)
        model->next_used = (uint16_t)(model->next_used - 2u);
    __atomic_store_n(&used->index, model->next_used, __ATOMIC_RELEASE);
}

static void write_slot(struct model *model, const struct answer *answer)
{
    struct virtq_packed_desc *slot = slot_at(model, model->next_avail);

    slot->id = answer->id;
    slot->length_bytes = answer->length_bytes;
    __atomic_store_n(&slot->flags, model->wrap ? VIRTQ_PACKED_AVAIL | VIRTQ_PACKED_USED : 0, __ATOMIC_RELEASE);
    model->next_avail = (uint16_t)(model->next_avail + answer->nr_slots);
    if (model->next_avail >= model->place.size) {
        model->next_avail = (uint16_t)(model->next_avail - model->place.size);
        model->wrap = !model->wrap;
    }
}

/* A packed ring has no index; returning once more, where nothing was given, is what comes nearest. */
static void return_packed(struct model *model, const struct answer *answer)
{
    enum model_lie lie = model->options.lie;

    write_slot(model, answer);
    if (lie == MODEL_TWICE || lie == MODEL_INDEX_JUMPS || lie == MODEL_INDEX_BACK)
        write_slot(model, answer);
}

static bool is_honest(const struct model *model)
{
    return model->options.lie == MODEL_TRUTH || model->options.lie == MODEL_SCRIBBLES;
}

/* Returns how many there were. */
static unsigned answer_some(struct model *model)
{
    struct answer answers[ANSWERS_MAX];
    unsigned nr = take_all(model, answers);

    lie_about(model, &answers[0]);
    if (model->options.lie == MODEL_SCRIBBLES)
        scribble(model);
    for (unsigned i = 0; i < nr && (i == 0 || is_honest(model)); i++) {
        if (model->options.is_packed)
            return_packed(model, &answers[i]);
        else
            return_split(model, &answers[i]);
    }
    return nr;
}

/* ---- interrupts ---- */

static enum irq_result interrupted(void *context)
{
    struct model *model = context;

    if (model->wanted.config_changed != NULL && model->status & VIRTIO_STATUS_NEEDS_RESET)
        model->wanted.config_changed(model->wanted.config_context);
    model->wanted.queue(model->context);
    return IRQ_HANDLED;
}

static int interrupts_request(struct virtio_device *device, const struct virtio_interrupts *wanted)
{
    struct model *model = model_of(device);

    if (!model->options.has_interrupts)
        return -ENODEV;
    model->wanted = *wanted;
    model->context = wanted->contexts[0];
    return irq_request_msi(interrupted, model, "test", &model->message, &model->irq);
}

static void interrupts_release(struct virtio_device *device)
{
    struct model *model = model_of(device);

    if (model->irq != NULL)
        irq_release(model->irq);
    model->irq = NULL;
}

static void queue_wiring(struct virtio_device *device, uint16_t index, struct virtio_wiring *wiring)
{
    (void)device;
    (void)index;
    *wiring = (struct virtio_wiring){0};
}

/* With event index: it wants to hear of the next chain. Nobody gives one meanwhile, so it need not look again. */
static void go_to_sleep(struct model *model)
{
    struct virtq_used *used = phys_to_virt(model->place.device_area);
    uint16_t *avail_event = (void *)&used->ring[model->place.size];

    if (!model->options.is_packed)
        __atomic_store_n(avail_event, model->next_avail, __ATOMIC_RELEASE);
}

void model_answer(struct model *model)
{
    if (model->options.lie == MODEL_NEEDS_RESET)
        model->status |= VIRTIO_STATUS_NEEDS_RESET;
    else if (model->options.lie == MODEL_VANISHES)
        model->status = VIRTIO_STATUS_GONE;
    else
        while (answer_some(model) == ANSWERS_MAX)
            ;
    go_to_sleep(model);
    model->is_gone = model->options.lie == MODEL_VANISHES;
    if (model->irq != NULL)
        (void)irq_raise(model->irq);
}

static void notify(struct virtio_device *device, uint16_t index)
{
    struct model *model = model_of(device);

    (void)index;
    model->nr_notified++;
    if (!model->is_enabled)
        model->nr_touched++;
    else if (!model->options.is_held)
        model_answer(model);
}

/* ---- the device ---- */

static const struct virtio_transport transport = {
    .read_status = read_status,
    .write_status = write_status,
    .read_features = read_features,
    .write_features = write_features,
    .wait_for_reset = wait_for_reset,
    .cut_off = cut_off,
    .queue_size = queue_size,
    .queue_enable = queue_enable,
    .notify = notify,
    .interrupts_request = interrupts_request,
    .interrupts_release = interrupts_release,
    .queue_wiring = queue_wiring,
    .read_config = read_config,
    .write_config8 = write_config8,
    .config_generation = config_generation,
};

static void release(struct device *device)
{
    model_of(virtio_device_of(device))->is_released = true;
}

void model_init(struct model *model, const struct model_options *options, uint16_t id)
{
    *model = (struct model){
        .device = {.device = {.name = "model", .bus = &virtio_bus, .release = release},
                   .transport = &transport,
                   .name = "model",
                   .id = id},
        .options = *options,
        .status = VIRTIO_STATUS_ACKNOWLEDGE, /* as firmware may leave it */
    };
}
