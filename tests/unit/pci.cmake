unit_test(pci SOURCES test_pci.c support/pci_model.c support/plain_heap.c
  KERNEL drivers/pci/config.c drivers/pci/capability.c drivers/pci/bar.c drivers/pci/scan.c drivers/pci/window.c
         drivers/pci/assign.c drivers/pci/express.c drivers/pci/claim.c drivers/pci/names.c drivers/pci/tree.c)
unit_test(pci_roots SOURCES test_pci_roots.c support/plain_heap.c
  KERNEL drivers/pci/roots.c drivers/pci/config.c drivers/pci/capability.c drivers/pci/bar.c drivers/pci/scan.c
         drivers/pci/window.c drivers/pci/express.c drivers/pci/tree.c drivers/acpi/table.c)
unit_test(pci_firmware SOURCES test_pci_firmware.c support/pci_model.c
  KERNEL drivers/pci/root_windows.c drivers/pci/route.c drivers/pci/config.c drivers/acpi/resource.c
         drivers/acpi/madt.c)
unit_test(device_model SOURCES test_device_model.c KERNEL src/dev/device.c)
unit_test(work SOURCES test_work.c KERNEL src/dev/work.c src/dev/work_wait.c src/irq/activity.c tests/unit/support/no_threads.c)
unit_test(hotplug SOURCES test_hotplug.c support/slot_model.c support/plain_heap.c
  KERNEL drivers/pci/hotplug.c drivers/pci/slot.c drivers/pci/slot_machine.c drivers/pci/config.c drivers/pci/capability.c drivers/pci/express.c
         src/dev/device.c src/dev/work.c src/dev/work_wait.c src/irq/activity.c tests/unit/support/no_threads.c)
