/* The two lists of capabilities (PCI Local Bus 3.0 6.7, PCI Express 6.0 7.6). A device may link them in a circle or out
 * of its space: a walk takes no more steps than there is room for entries. */
#include <hw/pci.h>

#include "pci_internal.h"

#define ENTRY_BYTES          4u /* no capability is shorter, and they do not overlap in a sane list */
#define NEXT_MASK            0xfcu
#define EXTENDED_ENTRY_BYTES 4u
#define NO_EXTENDED_HEADER   0u
#define EXTENDED_NEXT_MASK   0xffcu

/* The register with the offset of the first capability lies elsewhere for CardBus bridges only, which have type 2. */
static unsigned first_capability(const struct pci_device *device)
{
    if (device->header_type > PCI_HEADER_BRIDGE || !(pci_read16(device, PCI_STATUS) & PCI_STATUS_CAPABILITIES))
        return 0;
    return pci_read8(device, PCI_CAPABILITIES) & NEXT_MASK;
}

unsigned pci_find_capability(const struct pci_device *device, uint8_t id, unsigned from)
{
    unsigned at = from == 0 ? first_capability(device) : from;

    for (unsigned steps = 0; steps < (PCI_CONFIG_BYTES - PCI_CAPABILITY_FIRST) / ENTRY_BYTES; steps++) {
        if (at < PCI_CAPABILITY_FIRST || at > PCI_CONFIG_BYTES - ENTRY_BYTES)
            return 0;
        uint16_t entry = pci_read16(device, at);
        if (entry == UINT16_MAX) /* gone */
            return 0;
        if ((uint8_t)entry == id)
            return at;
        at = entry >> 8 & NEXT_MASK;
    }
    return 0;
}

unsigned pci_find_extended_capability(const struct pci_device *device, uint16_t id, unsigned from)
{
    unsigned at = from == 0 ? PCI_EXTENDED_FIRST : from;

    for (unsigned steps = 0; steps < (PCI_EXPRESS_CONFIG_BYTES - PCI_EXTENDED_FIRST) / EXTENDED_ENTRY_BYTES; steps++) {
        if (at < PCI_EXTENDED_FIRST || at > PCI_EXPRESS_CONFIG_BYTES - EXTENDED_ENTRY_BYTES)
            return 0;
        uint32_t entry = pci_read32(device, at);
        if (entry == NO_EXTENDED_HEADER || entry == UINT32_MAX)
            return 0;
        if ((uint16_t)entry == id)
            return at;
        at = entry >> 20 & EXTENDED_NEXT_MASK;
    }
    return 0;
}
