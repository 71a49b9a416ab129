/* Finding all functions, depth first. Bus numbers only grow, so the walk ends whatever bridges say; it keeps its place
 * in the buses and not on the stack, which a chain of 255 bridges would not fit. */
#include <base/errno.h>
#include <debug/log.h>
#include <hw/pci.h>
#include <lib/format.h>
#include <mm/kmalloc.h>

#include "pci_internal.h"

#define NR_DEVFNS (PCI_NR_SLOTS * PCI_NR_FUNCTIONS)

struct scan {
    struct pci_tree *tree;
    uint16_t next_number; /* of buses: all below are taken */
    uint8_t last;
    int nr_found;
};

static struct pci_bus *bus_create(struct scan *scan, const struct pci_access *access, uint16_t segment, uint8_t number)
{
    struct pci_bus *bus = kmalloc(sizeof(*bus), ALLOC_ZERO);

    if (!bus)
        return NULL;
    bus->access = access;
    bus->segment = segment;
    bus->number = number;
    bus->last = scan->last;
    if (access->open(bus) < 0) {
        kfree(bus);
        return NULL;
    }
    pci_tree_add_bus(scan->tree, bus);
    return bus;
}

void pci_device_name(const struct pci_device *device, char *name, size_t size)
{
    if (device->segment == 0)
        snprintf(name, size, "%02x:%02x.%u", device->bus, device->slot, device->function);
    else
        snprintf(name, size, "%04x:%02x:%02x.%u", device->segment, device->bus, device->slot, device->function);
}

static void read_header(struct pci_device *device)
{
    uint32_t class_and_revision = pci_read32(device, PCI_REVISION);

    device->vendor = pci_read16(device, PCI_VENDOR_ID);
    device->id = pci_read16(device, PCI_DEVICE_ID);
    device->class_code = class_and_revision >> 8;
    device->revision = (uint8_t)class_and_revision;
    device->header_type = pci_read8(device, PCI_HEADER_TYPE) & PCI_HEADER_TYPE_MASK;
    if (device->header_type == PCI_HEADER_DEVICE) {
        device->subsystem_vendor = pci_read16(device, PCI_SUBSYSTEM_VENDOR);
        device->subsystem_id = pci_read16(device, PCI_SUBSYSTEM_ID);
    }
    uint8_t pin = pci_read8(device, PCI_INTERRUPT_PIN);
    device->interrupt_pin = pin <= 4 ? pin : 0;
}

/* The function there: NULL with *error 0 where there is none. */
static struct pci_device *find_function(struct scan *scan, struct pci_bus *bus, unsigned devfn, int *error)
{
    uint32_t vendor = pci_bus_read(bus, devfn, PCI_VENDOR_ID, sizeof(uint16_t));

    *error = 0;
    if ((uint16_t)vendor == PCI_NO_VENDOR || vendor == 0)
        return NULL;
    struct pci_device *device = kmalloc(sizeof(*device), ALLOC_ZERO);
    if (!device) {
        *error = -ENOMEM;
        return NULL;
    }
    device->segment = bus->segment;
    device->bus = bus->number;
    device->slot = (uint8_t)(devfn >> 3);
    device->function = devfn & 7;
    device->on = bus;
    device->device.parent = bus->bridge ? &bus->bridge->device : NULL;
    pci_device_name(device, device->device.name, sizeof(device->device.name));
    read_header(device);
    pci_size_bars(device);
    pci_tree_add(scan->tree, device);
    scan->nr_found++;
    return device;
}

/* Opens the bus behind a bridge: as the firmware numbered it where that can be, else with the next free number. */
static struct pci_bus *enter_bridge(struct scan *scan, struct pci_device *bridge)
{
    struct pci_bus *on = bridge->on;
    uint8_t secondary = pci_read8(bridge, PCI_SECONDARY_BUS), subordinate = pci_read8(bridge, PCI_SUBORDINATE_BUS);
    bool is_numbered = pci_read8(bridge, PCI_PRIMARY_BUS) == on->number && secondary >= scan->next_number &&
                       subordinate >= secondary && subordinate <= on->last;
    uint16_t number = is_numbered ? secondary : scan->next_number;

    if (number > on->last) {
        log_warn("pci: %s: no bus number is left for what is behind this bridge", bridge->device.name);
        return NULL;
    }
    struct pci_bus *bus = bus_create(scan, on->access, on->segment, (uint8_t)number);
    if (!bus) {
        log_warn("pci: %s: bus %02x behind this bridge cannot be reached", bridge->device.name, number);
        return NULL;
    }
    bus->parent = on;
    bus->bridge = bridge;
    bridge->behind = bus;
    bus->last = is_numbered ? subordinate : on->last;
    bus->is_numbered_by_us = !is_numbered;
    if (!is_numbered) {
        pci_write8(bridge, PCI_PRIMARY_BUS, on->number);
        pci_write8(bridge, PCI_SECONDARY_BUS, (uint8_t)number);
        pci_write8(bridge, PCI_SUBORDINATE_BUS, bus->last);
    }
    scan->next_number = (uint16_t)(number + 1);
    pci_read_windows(bus);
    return bus;
}

static struct pci_bus *leave_bus(struct scan *scan, struct pci_bus *bus)
{
    if (bus->bridge && bus->is_numbered_by_us) {
        bus->last = (uint8_t)(scan->next_number - 1);
        pci_write8(bus->bridge, PCI_SUBORDINATE_BUS, bus->last);
    } else if (bus->bridge) {
        scan->next_number = (uint16_t)(bus->last + 1);
    }
    return bus->parent;
}

/* The next place to look at, given what this one had. */
static unsigned next_devfn(const struct pci_bus *bus, unsigned devfn, bool is_found)
{
    bool has_more = devfn % PCI_NR_FUNCTIONS != 0;

    if (!has_more && is_found)
        has_more = pci_bus_read(bus, devfn, PCI_HEADER_TYPE, 1) & PCI_HEADER_MULTIFUNCTION;
    unsigned next = has_more ? devfn + 1 : devfn + PCI_NR_FUNCTIONS;
    /* Behind an express port is one device only (PCI Express 6.0 7.3.1), but with as many functions as it likes. */
    return next >= PCI_NR_FUNCTIONS && bus->bridge && pci_downstream_port(bus->bridge) ? NR_DEVFNS : next;
}

/* All on this bus and behind it. */
static int scan_from(struct scan *scan, struct pci_bus *top)
{
    struct pci_bus *bus = top;
    int error = 0;

    while (!error && (bus != top || top->next_devfn < NR_DEVFNS)) {
        if (bus->next_devfn >= NR_DEVFNS) {
            bus = leave_bus(scan, bus);
            continue;
        }
        struct pci_device *device = find_function(scan, bus, bus->next_devfn, &error);
        bus->next_devfn = next_devfn(bus, bus->next_devfn, device != NULL);
        struct pci_bus *behind = device && pci_is_bridge(device) ? enter_bridge(scan, device) : NULL;
        if (behind)
            bus = behind;
    }
    return error ? error : scan->nr_found;
}

int pci_scan(struct pci_tree *tree, const struct pci_access *access, uint16_t segment, uint8_t first, uint8_t last,
             struct pci_bus **root)
{
    struct scan scan = {tree, (uint16_t)(first + 1), last, 0};

    *root = bus_create(&scan, access, segment, first);
    return *root ? scan_from(&scan, *root) : -ENOMEM;
}

int pci_scan_bus(struct pci_tree *tree, struct pci_bus *bus)
{
    struct scan scan = {tree, (uint16_t)(bus->number + 1), bus->last, 0};

    bus->next_devfn = 0;
    return scan_from(&scan, bus);
}
