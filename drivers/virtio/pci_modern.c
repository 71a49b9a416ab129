/* The modern interface: register blocks in memory BARs, where vendor capabilities say (virtio 1.2 4.1.4); the bells may
 * be in a port BAR, too. A capability that points outside its BAR is passed over, as one of an unknown type is; the
 * next of the same type may do. */
#include "pci.h"

#include <base/errno.h>
#include <cpu/io.h>
#include <debug/log.h>
#include <hw/pci.h>
#include <hw/virtio.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <mm/vmalloc.h>

#define CAPABILITIES_MAX 48u /* no configuration space has room for more */

struct place {
    unsigned bar;
    uint32_t offset, length, multiplier;
};

/* The n-th vendor capability of a type; false when there are no more. */
static bool find_place(const struct pci_device *pci, uint8_t type, unsigned n, struct place *place)
{
    unsigned at = pci_find_capability(pci, PCI_CAPABILITY_VENDOR, 0);

    for (unsigned i = 0; at != 0 && i < CAPABILITIES_MAX; i++) {
        unsigned next;

        if (pci_read8(pci, at + VIRTIO_PCI_CAP_TYPE) == type &&
            pci_read8(pci, at + VIRTIO_PCI_CAP_LENGTH) >= VIRTIO_PCI_CAP_SIZE && n-- == 0) {
            place->bar = pci_read8(pci, at + VIRTIO_PCI_CAP_BAR);
            place->offset = pci_read32(pci, at + VIRTIO_PCI_CAP_OFFSET);
            place->length = pci_read32(pci, at + VIRTIO_PCI_CAP_BYTES);
            place->multiplier = type == VIRTIO_PCI_CAP_NOTIFY ? pci_read32(pci, at + VIRTIO_PCI_CAP_MULTIPLIER) : 0;
            return true;
        }
        next = pci_read8(pci, at + VIRTIO_PCI_CAP_NEXT) & 0xfcu;
        at = next ? pci_find_capability(pci, PCI_CAPABILITY_VENDOR, next) : 0;
    }
    return false;
}

static bool is_possible(const struct pci_device *pci, const struct place *place, uint32_t least, uint32_t alignment)
{
    return place->bar < PCI_NR_BARS && place->length >= least && place->offset % alignment == 0 &&
           place->length <= pci->bars[place->bar].length &&
           place->offset <= pci->bars[place->bar].length - place->length;
}

/* Maps the first block of a type that can be mapped and has `least` bytes, aligned as its registers want. */
static void *map_block(struct virtio_pci *device, uint8_t type, uint32_t least, uint32_t alignment, struct place *place)
{
    for (unsigned n = 0; n < CAPABILITIES_MAX && find_place(device->pci, type, n, place); n++) {
        void *block;

        if (!is_possible(device->pci, place, least, alignment) || device->pci->bars[place->bar].is_io)
            continue;
        block = pci_map_bar(device->pci, place->bar, place->offset, place->length);
        if (block != NULL)
            return block;
    }
    return NULL;
}

/* The bells may be ports: an exit to QEMU by a port is cheaper than one by memory. The first that can be used is the
 * one the device prefers (4.1.4.1). False when there is none. */
static bool map_notify(struct virtio_pci *device)
{
    struct place place;

    for (unsigned n = 0; n < CAPABILITIES_MAX && find_place(device->pci, VIRTIO_PCI_CAP_NOTIFY, n, &place); n++) {
        const struct pci_bar *bar;

        if (!is_possible(device->pci, &place, sizeof(reg16), sizeof(reg16)))
            continue;
        device->notify_bytes = place.length;
        device->notify_multiplier = place.multiplier;
        bar = &device->pci->bars[place.bar];
        if (bar->is_io && bar->base.value != 0 && bar->base.value + bar->length - 1 <= UINT16_MAX)
            device->notify_port = (uint16_t)(bar->base.value + place.offset);
        else if (!bar->is_io)
            device->notify = pci_map_bar(device->pci, place.bar, place.offset, place.length);
        if (device->notify != NULL || device->notify_port != 0)
            return true;
    }
    return false;
}

int virtio_pci_map_modern(struct virtio_pci *device)
{
    struct place place;
    bool has_notify;

    if (!find_place(device->pci, VIRTIO_PCI_CAP_COMMON, 0, &place))
        return -ENODEV;
    device->common = map_block(device, VIRTIO_PCI_CAP_COMMON, sizeof(*device->common), 4, &place);
    device->isr = map_block(device, VIRTIO_PCI_CAP_ISR, 1, 1, &place);
    has_notify = map_notify(device);
    if (device->common == NULL || device->isr == NULL || !has_notify) {
        log_error("virtio %s: its capabilities do not lead to registers", device->virtio.name);
        virtio_pci_unmap(device);
        return -EIO;
    }
    device->nr_queues = register_read16(&device->common->nr_queues);
    device->bells = kmalloc(device->nr_queues * sizeof(*device->bells), ALLOC_ZERO);
    if (device->bells == NULL) {
        virtio_pci_unmap(device);
        return device->nr_queues ? -ENOMEM : -EIO;
    }
    /* A device without configuration of its own needs no block for it. */
    device->config = map_block(device, VIRTIO_PCI_CAP_DEVICE, 1, 4, &place);
    device->config_bytes = device->config ? place.length : 0;
    return 0;
}

static void unmap(void *block)
{
    if (block != NULL)
        device_unmap(block);
}

void virtio_pci_unmap(struct virtio_pci *device)
{
    kfree(device->bells);
    device->bells = NULL;
    unmap(device->common);
    unmap(device->isr);
    unmap(device->notify);
    unmap(device->config);
    device->common = NULL;
    device->isr = NULL;
    device->notify = NULL;
    device->notify_port = 0;
    device->config = NULL;
}

static uint8_t read_status(struct virtio_device *device)
{
    return register_read8(&virtio_pci_of(device)->common->status);
}

static void write_status(struct virtio_device *device, uint8_t status)
{
    if (status == 0)
        virtio_pci_of(device)->reset_deadline_ns = 0;
    register_write8(&virtio_pci_of(device)->common->status, status);
}

static uint64_t read_features(struct virtio_device *device)
{
    struct virtio_pci_common *common = virtio_pci_of(device)->common;
    uint64_t features = 0;

    for (unsigned half = 0; half < 2; half++) {
        register_write32(&common->device_feature_select, half);
        features |= (uint64_t)register_read32(&common->device_feature) << (32 * half);
    }
    return features;
}

static void write_features(struct virtio_device *device, uint64_t features)
{
    struct virtio_pci_common *common = virtio_pci_of(device)->common;

    for (unsigned half = 0; half < 2; half++) {
        register_write32(&common->driver_feature_select, half);
        register_write32(&common->driver_feature, (uint32_t)(features >> (32 * half)));
    }
}

static uint16_t queue_size(struct virtio_device *device, uint16_t index)
{
    struct virtio_pci_common *common = virtio_pci_of(device)->common;

    if (index >= virtio_pci_of(device)->nr_queues)
        return 0;
    register_write16(&common->queue_select, index);
    return register_read16(&common->queue_size);
}

static void write_address(reg32 half[2], paddr_t address)
{
    register_write32(&half[0], (uint32_t)address.value);
    register_write32(&half[1], (uint32_t)(address.value >> 32));
}

/* Where a write notifies the selected queue; false where that is outside the block (4.1.4.4). */
static bool find_bell(const struct virtio_pci *device, struct virtio_pci_bell *bell)
{
    uint64_t offset = (uint64_t)register_read16(&device->common->queue_notify_offset) * device->notify_multiplier;

    if (offset + sizeof(reg16) > device->notify_bytes || offset % sizeof(reg16) != 0)
        return false;
    *bell = (struct virtio_pci_bell){0};
    if (device->notify != NULL)
        bell->memory = (reg16 *)(device->notify + offset);
    else
        bell->port = (uint16_t)(device->notify_port + offset);
    return true;
}

static int queue_enable(struct virtio_device *device, uint16_t index, const struct virtio_queue_place *place)
{
    struct virtio_pci *pci = virtio_pci_of(device);
    struct virtio_pci_common *common = pci->common;

    register_write16(&common->queue_select, index);
    if (!find_bell(pci, &pci->bells[index]))
        return -EIO;
    register_write16(&common->queue_size, place->size);
    write_address(common->queue_descriptors, place->descriptors);
    write_address(common->queue_driver_area, place->driver_area);
    write_address(common->queue_device_area, place->device_area);
    register_write16(&common->queue_enable, 1);
    return 0;
}

bool virtio_pci_modern_set_vector(struct virtio_pci *device, uint32_t queue, uint16_t vector)
{
    struct virtio_pci_common *common = device->common;
    reg16 *at = queue == VIRTIO_PCI_CONFIG ? &common->config_vector : &common->queue_vector;

    if (queue != VIRTIO_PCI_CONFIG)
        register_write16(&common->queue_select, (uint16_t)queue);
    register_write16(at, vector);
    return register_read16(at) == vector;
}

static void notify(struct virtio_device *device, uint16_t index)
{
    const struct virtio_pci_bell *bell = &virtio_pci_of(device)->bells[index];

    if (LIKELY(bell->memory != NULL))
        register_write16(bell->memory, index);
    else
        out16(bell->port, index);
}

static bool read_config(struct virtio_device *device, unsigned offset, void *to, size_t length)
{
    const struct virtio_pci *pci = virtio_pci_of(device);

    if (offset > pci->config_bytes || length > pci->config_bytes - offset)
        return false;
    /* Each field in accesses of its own width, 64 bits in two (4.1.3.1). */
    for (uint8_t *at = to; length > 0;) {
        size_t width = offset % 4 == 0 && length >= 4 ? 4 : offset % 2 == 0 && length >= 2 ? 2 : 1;
        const void *field = pci->config + offset;
        uint32_t value = width == 4   ? register_read32(field)
                         : width == 2 ? register_read16(field)
                                      : register_read8(field);

        memcpy(at, &value, width);
        at += width;
        offset += (unsigned)width;
        length -= width;
    }
    return true;
}

static bool write_config8(struct virtio_device *device, unsigned offset, uint8_t value)
{
    const struct virtio_pci *pci = virtio_pci_of(device);

    if (offset >= pci->config_bytes)
        return false;
    register_write8((reg8 *)(pci->config + offset), value);
    return true;
}

static uint8_t config_generation(struct virtio_device *device)
{
    return register_read8(&virtio_pci_of(device)->common->generation);
}

const struct virtio_transport virtio_pci_modern = {
    .read_status = read_status,
    .write_status = write_status,
    .read_features = read_features,
    .write_features = write_features,
    .wait_for_reset = virtio_pci_wait_for_reset,
    .cut_off = virtio_pci_cut_off,
    .queue_size = queue_size,
    .queue_enable = queue_enable,
    .notify = notify,
    .interrupts_request = virtio_pci_interrupts_request,
    .interrupts_release = virtio_pci_interrupts_release,
    .queue_wiring = virtio_pci_queue_wiring,
    .read_config = read_config,
    .write_config8 = write_config8,
    .config_generation = config_generation,
};
