/* The virtio bus: what buses that carry virtio devices put them on, and drivers match by type. */
#pragma once

#include <dev/device.h>
#include <virtio/device.h>

extern const struct bus virtio_bus;

/* The match table of a driver on it: types, 0 at the end. */
typedef uint16_t virtio_match;

static inline struct virtio_device *virtio_device_of(struct device *device)
{
    return CONTAINER_OF(device, struct virtio_device, device);
}

/* Registers the PCI transport; functions found already are taken at once. Context: init, once. */
void virtio_pci_init(void);
