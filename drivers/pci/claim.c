/* Whether the addresses that the firmware left can be: behind a bridge, what lies outside all that it passes on is
 * never reached. Such a BAR is given a new address, as one that has none. */
#include <debug/log.h>
#include <hw/pci.h>

#include "pci_internal.h"

/* A bridge that passes on whatever nobody else takes (PCI Code and ID Assignment: class 060401). */
static bool is_subtractive(const struct pci_device *bridge)
{
    return (bridge->class_code & 0xff) == 1;
}

static bool lies_in(const struct pci_bar *bar, struct pci_window window)
{
    uint64_t base = bar->base.value;

    return base >= window.base && base < window.end && bar->length <= window.end - base;
}

static bool is_reachable(const struct pci_device *device, const struct pci_bar *bar)
{
    const struct pci_bus *bus = device->on;

    if (!bus->bridge || is_subtractive(bus->bridge))
        return true;
    if (bar->is_io)
        return lies_in(bar, bus->windows[PCI_SPACE_IO]);
    return lies_in(bar, bus->windows[PCI_SPACE_MEMORY]) || lies_in(bar, bus->windows[PCI_SPACE_PREFETCH]);
}

void pci_check_addresses(const struct pci_tree *tree)
{
    for (struct pci_device *device = tree->first; device; device = device->next)
        for (unsigned i = 0; i < PCI_NR_BARS; i++) {
            struct pci_bar *bar = &device->bars[i];

            if (bar->length == 0 || bar->base.value == 0 || is_reachable(device, bar))
                continue;
            log_warn("pci: %s: BAR %u at 0x%lx cannot be reached through the bridge: it is moved", device->device.name,
                     i, bar->base.value);
            bar->base = paddr(0);
        }
}
