#include "virtio_model.h"

#include <base/errno.h>
#include <hw/virtio.h>
#include <hw/virtio_ring.h>
#include <irq/chip.h>
#include <lib/string.h>
#include <mm/physmap.h>
#include <virtio/bus.h>

#define QUEUE_SIZE 8

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
    return VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC |
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

/* ---- the ring, as the device sees it ---- */

struct answer {
    uint16_t id;
    uint32_t length_bytes;
};

static void lie_about(const struct model *model, struct answer *answer)
{
    if (model->options.lie == MODEL_UNKNOWN_ID)
        answer->id = model->place.size;
    if (model->options.lie == MODEL_IDLE_ID)
        answer->id = (uint16_t)((answer->id + 1u) % model->place.size);
    if (model->options.lie == MODEL_TOO_LONG)
        answer->length_bytes++;
}

static void answer_split(struct model *model)
{
    struct virtq_desc *descriptors = phys_to_virt(model->place.descriptors);
    const struct virtq_avail *avail = phys_to_virt(model->place.driver_area);
    struct virtq_used *used = phys_to_virt(model->place.device_area);
    uint16_t mask = (uint16_t)(model->place.size - 1u);
    struct answer answer = {.id = avail->ring[model->next_avail & mask]};

    answer.length_bytes = descriptors[answer.id].length_bytes;
    memset(phys_to_virt(paddr(descriptors[answer.id].base)), 0x5a, answer.length_bytes);
    lie_about(model, &answer);
    if (model->options.lie == MODEL_SCRIBBLES)
        memset(descriptors, 0xff, sizeof(*descriptors) * model->place.size);
    model->next_avail++;
    used->ring[model->next_used & mask] = (struct virtq_used_element){answer.id, answer.length_bytes};
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

static void return_packed(struct model *model, const struct answer *answer)
{
    struct virtq_packed_desc *slot = phys_to_virt(model->place.descriptors);

    slot += model->next_avail;
    slot->id = answer->id;
    slot->length_bytes = answer->length_bytes;
    __atomic_store_n(&slot->flags, model->wrap ? VIRTQ_PACKED_AVAIL | VIRTQ_PACKED_USED : 0, __ATOMIC_RELEASE);
    if (++model->next_avail == model->place.size) {
        model->next_avail = 0;
        model->wrap = !model->wrap;
    }
}

/* A packed ring has no index; returning the next slot, which nobody gave, is what comes nearest. */
static void answer_packed(struct model *model)
{
    struct virtq_packed_desc *slots = phys_to_virt(model->place.descriptors), *slot = slots + model->next_avail;
    struct answer answer = {slot->id, slot->length_bytes};
    bool is_index_lie = model->options.lie == MODEL_INDEX_JUMPS || model->options.lie == MODEL_INDEX_BACK;

    memset(phys_to_virt(paddr(slot->base)), 0x5a, answer.length_bytes);
    lie_about(model, &answer);
    if (model->options.lie == MODEL_SCRIBBLES)
        memset(slots, model->wrap ? 0 : 0xff, sizeof(*slots) * model->place.size);
    return_packed(model, &answer);
    if (model->options.lie == MODEL_TWICE || is_index_lie)
        return_packed(model, &answer);
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

static void notify(struct virtio_device *device, uint16_t index)
{
    struct model *model = model_of(device);

    (void)index;
    model->nr_notified++;
    if (!model->is_enabled) {
        model->nr_touched++;
        return;
    }
    if (model->options.lie == MODEL_NEEDS_RESET)
        model->status |= VIRTIO_STATUS_NEEDS_RESET;
    else if (model->options.lie == MODEL_VANISHES)
        model->status = VIRTIO_STATUS_GONE;
    else if (model->options.is_packed)
        answer_packed(model);
    else
        answer_split(model);
    model->is_gone = model->options.lie == MODEL_VANISHES;
    if (model->irq != NULL)
        (void)irq_controller()->send_to_self(model->message.data & 0xff);
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
