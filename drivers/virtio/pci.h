/* A virtio device on PCI, to both of its interfaces. */
#pragma once

#include <hw/virtio_pci.h>
#include <pci/pci.h>
#include <virtio/device.h>

#define VIRTIO_PCI_RESET_NS 1000000000ull /* far beyond what any device needs; a hang detector */

/* Where a write notifies a queue: one of the two. */
struct virtio_pci_bell {
    reg16 *memory;
    uint16_t port;
};

struct virtio_pci {
    struct virtio_device virtio;
    struct pci_device *pci;     /* [I] */
    uint64_t reset_deadline_ns; /* 0 outside a reset */
    bool has_msix;              /* [I] from one request of interrupts to its release; below too */
    struct virtio_pci_interrupts *interrupts;
    /* Modern, [I]. */
    struct virtio_pci_common *common;
    uint8_t *notify;      /* NULL where it is ports */
    uint16_t notify_port; /* 0 where it is memory */
    uint32_t notify_bytes, notify_multiplier;
    reg8 *isr;
    uint8_t *config;
    uint32_t config_bytes;
    uint16_t nr_queues;
    struct virtio_pci_bell *bells; /* by queue */
    /* Legacy, [I]. */
    uint16_t port;
};

static inline struct virtio_pci *virtio_pci_of(struct virtio_device *device)
{
    return CONTAINER_OF(device, struct virtio_pci, virtio);
}

extern const struct virtio_transport virtio_pci_modern, virtio_pci_legacy;

/* Finds and maps the interface's registers. Returns 0; -ENODEV where the function does not have it; -EIO where it lies.
 */
MUST_CHECK int virtio_pci_map_modern(struct virtio_pci *device);
MUST_CHECK int virtio_pci_map_legacy(struct virtio_pci *device);
void virtio_pci_unmap(struct virtio_pci *device);

/* Common to both: false once a reset has taken too long. */
bool virtio_pci_wait_for_reset(struct virtio_device *device);
void virtio_pci_cut_off(struct virtio_device *device);

/* Gives a queue, or the configuration, an MSI-X vector, or none (VIRTIO_PCI_NO_VECTOR). False where the device has no
 * room for it (4.1.5.1.2.1). */
#define VIRTIO_PCI_CONFIG UINT32_MAX /* instead of a queue */
bool virtio_pci_modern_set_vector(struct virtio_pci *device, uint32_t queue, uint16_t vector);
bool virtio_pci_legacy_set_vector(struct virtio_pci *device, uint32_t queue, uint16_t vector);

/* Common to both. */
int virtio_pci_interrupts_request(struct virtio_device *device, const struct virtio_interrupts *wanted);
void virtio_pci_interrupts_release(struct virtio_device *device);
void virtio_pci_queue_wiring(struct virtio_device *device, uint16_t index, struct virtio_wiring *wiring);
