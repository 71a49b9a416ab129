/* Virtio devices on PCI: which functions they are, and which of their interfaces is used: the modern one where it is
 * there and can be reached, else the legacy one. Each becomes a device on the virtio bus, behind its function. */
#include "pci.h"

#include <base/errno.h>
#include <debug/log.h>
#include <hw/pci.h>
#include <hw/virtio.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <time/clock.h>
#include <virtio/bus.h>

bool virtio_pci_wait_for_reset(struct virtio_device *device)
{
    struct virtio_pci *pci = virtio_pci_of(device);
    uint64_t now_ns = clock_now_ns();

    if (pci->reset_deadline_ns == 0)
        pci->reset_deadline_ns = now_ns + VIRTIO_PCI_RESET_NS;
    if (now_ns < pci->reset_deadline_ns)
        return true;
    pci->reset_deadline_ns = 0;
    return false;
}

/* Without bus mastering a function neither reads nor writes memory, and its messages are such writes (PCI Local Bus 3.0
 * 6.2.2, 6.8). The read makes sure that the write has arrived. */
void virtio_pci_cut_off(struct virtio_device *device)
{
    struct pci_device *pci = virtio_pci_of(device)->pci;

    pci_write16(pci, PCI_COMMAND, (uint16_t)(pci_read16(pci, PCI_COMMAND) & ~PCI_ENABLE_MASTER));
    (void)pci_read16(pci, PCI_COMMAND);
}

/* ---- finding them ---- */

static int choose_interface(struct virtio_pci *device)
{
    int result = virtio_pci_map_modern(device);

    if (result == 0) {
        device->virtio.transport = &virtio_pci_modern;
        return 0;
    }
    if (device->pci->id > VIRTIO_PCI_LEGACY_LAST || virtio_pci_map_legacy(device) != 0)
        return result;
    device->virtio.transport = &virtio_pci_legacy;
    device->virtio.is_legacy = true;
    return 0;
}

static uint16_t type_of(const struct pci_device *pci)
{
    return (uint16_t)(pci->id >= VIRTIO_PCI_MODERN_FIRST ? pci->id - VIRTIO_PCI_MODERN_FIRST : pci->subsystem_id);
}

/* Firmware may have left the device at work, in memory that is ours now; it need not get a driver that resets it. */
static void quiet(struct virtio_pci *device)
{
    if (virtio_reset(&device->virtio) == 0)
        pci_enable(device->pci, PCI_ENABLE_MASTER);
}

static void release(struct device *device)
{
    struct virtio_pci *pci = virtio_pci_of(virtio_device_of(device));

    virtio_pci_unmap(pci);
    kfree(pci);
}

static int probe(struct device *function)
{
    struct pci_device *pci = CONTAINER_OF(function, struct pci_device, device);
    struct virtio_pci *device;
    int result;

    if (pci->id < VIRTIO_PCI_LEGACY_FIRST || pci->id > VIRTIO_PCI_MODERN_LAST)
        return -ENODEV;
    device = kmalloc(sizeof(*device), ALLOC_ZERO);
    if (device == NULL)
        return -ENOMEM;
    device->pci = pci;
    device->virtio.device.bus = &virtio_bus;
    device->virtio.device.parent = function;
    device->virtio.device.release = release;
    memcpy(device->virtio.device.name, function->name, sizeof(function->name));
    device->virtio.name = device->virtio.device.name;
    device->virtio.id = type_of(pci);
    pci_enable(pci, PCI_ENABLE_MEMORY | PCI_ENABLE_IO);
    result = choose_interface(device);
    if (result == 0) {
        quiet(device);
        result = device_add(&device->virtio.device);
    }
    if (result != 0) {
        virtio_pci_unmap(device);
        kfree(device);
        return result;
    }
    function->driver_data = device;
    return 0;
}

static void remove(struct device *function)
{
    struct virtio_pci *device = function->driver_data;

    device_remove(&device->virtio.device);
}

static const struct pci_match matches[] = {{.vendor = VIRTIO_PCI_VENDOR, .device = PCI_ANY}, {0}};

static struct driver driver = {.name = "virtio-pci", .matches = matches, .probe = probe, .remove = remove};

void virtio_pci_init(void)
{
    driver.bus = &pci_bus_type;
    driver_register(&driver);
}
