/* What a function is by its PCI Express capability (PCI Express 6.0 7.5.3). */
#include <hw/pci.h>

#include "pci_internal.h"

unsigned pci_downstream_port(const struct pci_device *device)
{
    unsigned at = pci_is_bridge(device) ? pci_find_capability(device, PCI_CAPABILITY_EXPRESS, 0) : 0;
    unsigned type = at ? PCI_EXPRESS_TYPE(pci_read16(device, at + PCI_EXPRESS_CAPABILITIES)) : 0;

    return type == PCI_EXPRESS_ROOT_PORT || type == PCI_EXPRESS_DOWNSTREAM_PORT ? at : 0;
}

unsigned pci_hotplug_port(const struct pci_device *device)
{
    unsigned at = pci_downstream_port(device);

    if (at == 0 || !(pci_read16(device, at + PCI_EXPRESS_CAPABILITIES) & PCI_EXPRESS_HAS_SLOT) ||
        !(pci_read32(device, at + PCI_EXPRESS_SLOT_CAPABILITIES) & PCI_SLOT_IS_HOTPLUG))
        return 0;
    return at;
}
