/* The machine's PCI bus: from its roots to devices of the device model. */
#include <base/errno.h>
#include <debug/log.h>
#include <hw/pci.h>
#include <mm/kmalloc.h>
#include <mm/paging.h>
#include <mm/vmalloc.h>

#include "roots.h"

static struct pci_tree tree; /* [work] boot, and pieces of work (dev/work.h) */

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

static void release(struct device *device)
{
    struct pci_device *function = CONTAINER_OF(device, struct pci_device, device);

    pci_bus_free(function->behind);
    kfree(function);
}

static void announce(struct pci_device *device)
{
    device->device.bus = &pci_bus_type;
    device->device.release = release;
    if (device_add(&device->device) < 0)
        log_warn("pci: %s is there twice", device->device.name);
}

void pci_init(void)
{
    pci_scan_roots(&tree);
    pci_find_firmware_nodes(&tree);
    pci_check_addresses(&tree);
    if (tree.first_bus)
        (void)pci_assign(&tree, NULL);
    for (struct pci_device *device = tree.first; device; device = device->next)
        announce(device);
}

int pci_bus_populate(struct pci_bus *bus)
{
    struct pci_device *last = tree.last;
    int found = pci_scan_bus(&tree, bus);

    pci_find_firmware_nodes(&tree);
    (void)pci_assign(&tree, bus);
    for (struct pci_device *device = last ? last->next : tree.first; device; device = device->next)
        announce(device);
    return found;
}

/* Takes a function from its driver and out of the tree. Nothing is behind it any more. */
static void take_out(struct pci_device *device)
{
    if (!device->device.is_listed) { /* it was there twice */
        pci_tree_remove(&tree, device);
        release(&device->device);
        return;
    }
    (void)device_get(&device->device); /* until it is disabled */
    device_remove(&device->device);
    pci_disable(device);
    pci_tree_remove(&tree, device);
    device_put(&device->device);
}

void pci_bus_empty(struct pci_bus *bus)
{
    struct pci_device *device;

    while ((device = pci_tree_last_behind(&tree, bus)) != NULL)
        take_out(device);
}

bool pci_bus_is_empty(const struct pci_bus *bus)
{
    return pci_tree_last_behind(&tree, bus) == NULL;
}
