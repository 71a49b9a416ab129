/* The legacy interface: I/O ports (virtio 1.2 4.1.4.10). Its queues have the size the device says and lie at a page
 * number. */
#include "pci.h"

#include <base/errno.h>
#include <cpu/io.h>
#include <hw/virtio.h>

#define NR_PORTS 0x10000u

static uint16_t port_of(struct virtio_device *device, unsigned offset)
{
    return (uint16_t)(virtio_pci_of(device)->port + offset);
}

int virtio_pci_map_legacy(struct virtio_pci *device)
{
    const struct pci_bar *bar = &device->pci->bars[0];

    if (!bar->is_io || bar->base.value == 0 || bar->length < VIRTIO_PCI_LEGACY_CONFIG_MSIX ||
        bar->base.value > NR_PORTS - bar->length)
        return -ENODEV;
    device->port = (uint16_t)bar->base.value;
    return 0;
}

static uint8_t read_status(struct virtio_device *device)
{
    return in8(port_of(device, VIRTIO_PCI_LEGACY_STATUS));
}

static void write_status(struct virtio_device *device, uint8_t status)
{
    if (status == 0)
        virtio_pci_of(device)->reset_deadline_ns = 0;
    out8(port_of(device, VIRTIO_PCI_LEGACY_STATUS), status);
}

static uint64_t read_features(struct virtio_device *device)
{
    return in32(port_of(device, VIRTIO_PCI_LEGACY_DEVICE_FEATURES));
}

static void write_features(struct virtio_device *device, uint64_t features)
{
    out32(port_of(device, VIRTIO_PCI_LEGACY_DRIVER_FEATURES), (uint32_t)features);
}

static uint16_t queue_size(struct virtio_device *device, uint16_t index)
{
    out16(port_of(device, VIRTIO_PCI_LEGACY_QUEUE_SELECT), index);
    return in16(port_of(device, VIRTIO_PCI_LEGACY_QUEUE_SIZE));
}

static int queue_enable(struct virtio_device *device, uint16_t index, const struct virtio_queue_place *place)
{
    if (place->descriptors.value >> PAGE_SHIFT > UINT32_MAX)
        return -ERANGE; /* 16 TiB */
    out16(port_of(device, VIRTIO_PCI_LEGACY_QUEUE_SELECT), index);
    out32(port_of(device, VIRTIO_PCI_LEGACY_QUEUE_ADDRESS), (uint32_t)(place->descriptors.value >> PAGE_SHIFT));
    return 0;
}

bool virtio_pci_legacy_set_vector(struct virtio_pci *device, uint32_t queue, uint16_t vector)
{
    unsigned offset = queue == VIRTIO_PCI_CONFIG ? VIRTIO_PCI_LEGACY_CONFIG_VECTOR : VIRTIO_PCI_LEGACY_QUEUE_VECTOR;

    if (queue != VIRTIO_PCI_CONFIG)
        out16((uint16_t)(device->port + VIRTIO_PCI_LEGACY_QUEUE_SELECT), (uint16_t)queue);
    out16((uint16_t)(device->port + offset), vector);
    return in16((uint16_t)(device->port + offset)) == vector;
}

static void notify(struct virtio_device *device, uint16_t index)
{
    out16(port_of(device, VIRTIO_PCI_LEGACY_QUEUE_NOTIFY), index);
}

static bool read_config(struct virtio_device *device, unsigned offset, void *to, size_t length)
{
    const struct virtio_pci *pci = virtio_pci_of(device);
    unsigned first = pci->has_msix ? VIRTIO_PCI_LEGACY_CONFIG_MSIX : VIRTIO_PCI_LEGACY_CONFIG;

    if (offset + first > pci->pci->bars[0].length || length > pci->pci->bars[0].length - first - offset)
        return false;
    for (size_t i = 0; i < length; i++)
        ((uint8_t *)to)[i] = in8(port_of(device, (unsigned)(first + offset + i)));
    return true;
}

static bool write_config8(struct virtio_device *device, unsigned offset, uint8_t value)
{
    const struct virtio_pci *pci = virtio_pci_of(device);
    unsigned first = pci->has_msix ? VIRTIO_PCI_LEGACY_CONFIG_MSIX : VIRTIO_PCI_LEGACY_CONFIG;

    if (offset >= pci->pci->bars[0].length - first)
        return false;
    out8(port_of(device, first + offset), value);
    return true;
}

static uint8_t config_generation(struct virtio_device *device)
{
    (void)device;
    return 0; /* 2.5.4: there is none */
}

const struct virtio_transport virtio_pci_legacy = {
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
