/* The machine's PCI bus: from its roots to devices of the device model. */
#include <base/errno.h>
#include <debug/log.h>
#include <hw/pci.h>
#include <mm/paging.h>
#include <mm/vmalloc.h>

#include "roots.h"

static struct pci_tree tree; /* [I] after pci_init */

static bool is_end(const struct pci_match *match)
{
    return match->vendor == 0 && match->device == 0 && match->class_mask == 0;
}

static bool match(const struct device *device, const struct driver *driver)
{
    const struct pci_device *function = CONTAINER_OF(device, struct pci_device, device);

    for (const struct pci_match *wanted = driver->matches; !is_end(wanted); wanted++)
        if ((wanted->vendor == PCI_ANY || wanted->vendor == function->vendor) &&
            (wanted->device == PCI_ANY || wanted->device == function->id) &&
            (function->class_code & wanted->class_mask) == (wanted->class_code & wanted->class_mask))
            return true;
    return false;
}

const struct bus pci_bus_type = {"pci", match};

struct pci_device *pci_first(void)
{
    return tree.first;
}

void *pci_map_bar(struct pci_device *device, unsigned index, uint64_t offset, uint64_t length)
{
    const struct pci_bar *bar = index < PCI_NR_BARS ? &device->bars[index] : NULL;
    const char *why = NULL;

    if (!bar || bar->length == 0)
        why = "it does not exist";
    else if (bar->is_io)
        why = "it is an I/O BAR";
    else if (bar->base.value == 0)
        why = "it has no address";
    else if (length == 0 || offset > bar->length || length > bar->length - offset)
        why = "it is too short";
    void *at = why ? NULL : device_map(paddr_add(bar->base, offset), length, MAP_WRITE | MAP_UNCACHED);
    if (!at)
        log_warn("pci: %s: 0x%lx bytes at 0x%lx of BAR %u cannot be used: %s", device->device.name, length, offset,
                 index, why ? why : "there is no memory to map it");
    return at;
}

void pci_init(void)
{
    pci_scan_roots(&tree);
    pci_find_firmware_nodes(&tree);
    if (tree.first_bus)
        (void)pci_assign(&tree);
    for (struct pci_device *device = tree.first; device; device = device->next) {
        device->device.bus = &pci_bus_type;
        if (device_add(&device->device) < 0)
            log_warn("pci: %s is there twice", device->device.name);
    }
}
