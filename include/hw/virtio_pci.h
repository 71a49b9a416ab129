/* Virtio over PCI: the capabilities that say where its registers are, and the registers, modern and legacy
 * (virtio 1.2 4.1). */
#pragma once

#include <base/assert.h>
#include <dev/register.h>

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
    reg32 device_feature_select, device_feature;
    reg32 driver_feature_select, driver_feature;
    reg16 config_vector, nr_queues;
    reg8 status, generation;
    reg16 queue_select, queue_size, queue_vector, queue_enable, queue_notify_offset;
    reg32 queue_descriptors[2], queue_driver_area[2], queue_device_area[2]; /* 64 bits, low half first */
};
static_assert(sizeof(struct virtio_pci_common) == 56, "virtio 1.2 4.1.4.3");
static_assert(offsetof(struct virtio_pci_common, status) == 20, "virtio 1.2 4.1.4.3");
static_assert(offsetof(struct virtio_pci_common, queue_enable) == 28, "virtio 1.2 4.1.4.3");
static_assert(offsetof(struct virtio_pci_common, queue_descriptors) == 32, "virtio 1.2 4.1.4.3");

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
