# Virtqueues against a model of a device: one that keeps the rules, and one that lies.
set(virtqueue_sources drivers/virtio/virtqueue.c drivers/virtio/split.c drivers/virtio/packed.c)

unit_test(virtqueue SOURCES test_virtqueue.c support/virtio_device.c support/virtqueue_host.c KERNEL ${virtqueue_sources})
unit_test(virtqueue_hostile SOURCES test_virtqueue_hostile.c support/virtio_device.c support/virtqueue_host.c
          KERNEL ${virtqueue_sources})
unit_test(virtio_device SOURCES test_virtio_device.c KERNEL drivers/virtio/device.c)
unit_test(virtio_interrupts SOURCES test_virtio_interrupts.c KERNEL drivers/virtio/pci_interrupts.c)
unit_test(virtio_pci SOURCES test_virtio_pci.c KERNEL drivers/virtio/pci_modern.c drivers/pci/capability.c)
