/* Virtio over PCI: the capabilities that say where its registers are, and the registers, modern and legacy
 * (virtio 1.2 4.1). */
#pragma once

#include <base/assert.h>
#include <dev/register.h>
#include <hw/pci.h>

#define VIRTIO_PCI_VENDOR       0x1af4u
#define VIRTIO_PCI_LEGACY_FIRST 0x1000u /* transitional and legacy: the type is the subsystem id, 4.1.2.3 */
#define VIRTIO_PCI_LEGACY_LAST  0x103fu
#define VIRTIO_PCI_MODERN_FIRST 0x1040u /* plus the type */
#define VIRTIO_PCI_MODERN_LAST  0x107fu

/* Offsets in a vendor capability, 4.1.4. */
#define VIRTIO_PCI_CAP_NEXT       1u
#define VIRTIO_PCI_CAP_LENGTH     2u
#define VIRTIO_PCI_CAP_TYPE       3u
#define VIRTIO_PCI_CAP_BAR        4u
#define VIRTIO_PCI_CAP_OFFSET     8u
#define VIRTIO_PCI_CAP_BYTES      12u
#define VIRTIO_PCI_CAP_SIZE       16u
#define VIRTIO_PCI_CAP_MULTIPLIER 16u /* of the notification structure only, 4.1.4.4 */

/* 4.1.4 */
struct virtio_pci_capability {
    struct pci_capability header;
    const reg8 length, type, bar, id;
    reg8 reserved_6[2];
    const reg32 offset, bytes; /* in the BAR */
};
static_assert(sizeof(struct virtio_pci_capability) == VIRTIO_PCI_CAP_SIZE, "virtio 1.2 4.1.4");
static_assert(offsetof(struct virtio_pci_capability, header.next) == VIRTIO_PCI_CAP_NEXT, "virtio 1.2 4.1.4");
static_assert(offsetof(struct virtio_pci_capability, length) == VIRTIO_PCI_CAP_LENGTH, "virtio 1.2 4.1.4");
static_assert(offsetof(struct virtio_pci_capability, type) == VIRTIO_PCI_CAP_TYPE, "virtio 1.2 4.1.4");
static_assert(offsetof(struct virtio_pci_capability, bar) == VIRTIO_PCI_CAP_BAR, "virtio 1.2 4.1.4");
static_assert(offsetof(struct virtio_pci_capability, id) == 5, "virtio 1.2 4.1.4");
static_assert(offsetof(struct virtio_pci_capability, offset) == VIRTIO_PCI_CAP_OFFSET, "virtio 1.2 4.1.4");
static_assert(offsetof(struct virtio_pci_capability, bytes) == VIRTIO_PCI_CAP_BYTES, "virtio 1.2 4.1.4");

/* 4.1.4.4 */
struct virtio_pci_notify_capability {
    struct virtio_pci_capability capability;
    const reg32 multiplier;
};
static_assert(sizeof(struct virtio_pci_notify_capability) == 20, "virtio 1.2 4.1.4.4");
static_assert(offsetof(struct virtio_pci_notify_capability, multiplier) == VIRTIO_PCI_CAP_MULTIPLIER,
              "virtio 1.2 4.1.4.4");

#define VIRTIO_PCI_CAP_COMMON 1u
#define VIRTIO_PCI_CAP_NOTIFY 2u
#define VIRTIO_PCI_CAP_ISR    3u
#define VIRTIO_PCI_CAP_DEVICE 4u

#define VIRTIO_PCI_NO_VECTOR 0xffffu

/* The ISR register, 4.1.4.5. */
#define VIRTIO_PCI_ISR_QUEUE  0x01u
#define VIRTIO_PCI_ISR_CONFIG 0x02u

/* 4.1.4.3, as far as a 1.0 device has it. */
struct virtio_pci_common {
    reg32 device_feature_select;
    const reg32 device_feature;
    reg32 driver_feature_select, driver_feature;
    reg16 config_vector;
    const reg16 nr_queues;
    reg8 status;
    const reg8 generation;
    reg16 queue_select, queue_size, queue_vector, queue_enable;
    const reg16 queue_notify_offset;
    reg32 queue_descriptors[2], queue_driver_area[2], queue_device_area[2]; /* 64 bits, low half first */
};
static_assert(sizeof(struct virtio_pci_common) == 56, "virtio 1.2 4.1.4.3");
static_assert(offsetof(struct virtio_pci_common, device_feature_select) == 0, "virtio 1.2 4.1.4.3");
static_assert(offsetof(struct virtio_pci_common, device_feature) == 4, "virtio 1.2 4.1.4.3");
static_assert(offsetof(struct virtio_pci_common, driver_feature_select) == 8, "virtio 1.2 4.1.4.3");
static_assert(offsetof(struct virtio_pci_common, driver_feature) == 12, "virtio 1.2 4.1.4.3");
static_assert(offsetof(struct virtio_pci_common, config_vector) == 16, "virtio 1.2 4.1.4.3");
static_assert(offsetof(struct virtio_pci_common, nr_queues) == 18, "virtio 1.2 4.1.4.3");
static_assert(offsetof(struct virtio_pci_common, status) == 20, "virtio 1.2 4.1.4.3");
static_assert(offsetof(struct virtio_pci_common, generation) == 21, "virtio 1.2 4.1.4.3");
static_assert(offsetof(struct virtio_pci_common, queue_select) == 22, "virtio 1.2 4.1.4.3");
static_assert(offsetof(struct virtio_pci_common, queue_size) == 24, "virtio 1.2 4.1.4.3");
static_assert(offsetof(struct virtio_pci_common, queue_vector) == 26, "virtio 1.2 4.1.4.3");
static_assert(offsetof(struct virtio_pci_common, queue_enable) == 28, "virtio 1.2 4.1.4.3");
static_assert(offsetof(struct virtio_pci_common, queue_notify_offset) == 30, "virtio 1.2 4.1.4.3");
static_assert(offsetof(struct virtio_pci_common, queue_descriptors) == 32, "virtio 1.2 4.1.4.3");
static_assert(offsetof(struct virtio_pci_common, queue_driver_area) == 40, "virtio 1.2 4.1.4.3");
static_assert(offsetof(struct virtio_pci_common, queue_device_area) == 48, "virtio 1.2 4.1.4.3");

/* The legacy interface: ports from BAR 0 on, 4.1.4.10. */
#define VIRTIO_PCI_LEGACY_DEVICE_FEATURES 0u
#define VIRTIO_PCI_LEGACY_DRIVER_FEATURES 4u
#define VIRTIO_PCI_LEGACY_QUEUE_ADDRESS   8u /* in pages */
#define VIRTIO_PCI_LEGACY_QUEUE_SIZE      12u
#define VIRTIO_PCI_LEGACY_QUEUE_SELECT    14u
#define VIRTIO_PCI_LEGACY_QUEUE_NOTIFY    16u
#define VIRTIO_PCI_LEGACY_STATUS          18u
#define VIRTIO_PCI_LEGACY_ISR             19u
#define VIRTIO_PCI_LEGACY_CONFIG_VECTOR   20u /* with MSI-X on; the device's configuration then follows behind */
#define VIRTIO_PCI_LEGACY_QUEUE_VECTOR    22u
#define VIRTIO_PCI_LEGACY_CONFIG          20u
#define VIRTIO_PCI_LEGACY_CONFIG_MSIX     24u
