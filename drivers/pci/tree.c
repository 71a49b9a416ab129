/* The lists of functions and buses. */
#include <mm/kmalloc.h>

#include "pci_internal.h"

void pci_tree_add(struct pci_tree *tree, struct pci_device *device)
{
    if (tree->last)
        tree->last->next = device;
    else
        tree->first = device;
    tree->last = device;
}

void pci_tree_add_bus(struct pci_tree *tree, struct pci_bus *bus)
{
    if (tree->last_bus)
        tree->last_bus->next = bus;
    else
        tree->first_bus = bus;
    tree->last_bus = bus;
}

static void remove_bus(struct pci_tree *tree, struct pci_bus *bus)
{
    struct pci_bus *previous = NULL, **link = &tree->first_bus;

    for (; *link != bus; link = &previous->next)
        previous = *link;
    *link = bus->next;
    if (tree->last_bus == bus)
        tree->last_bus = previous;
    bus->next = NULL;
}

void pci_tree_remove(struct pci_tree *tree, struct pci_device *device)
{
    struct pci_device *previous = NULL, **link = &tree->first;

    for (; *link != device; link = &previous->next)
        previous = *link;
    *link = device->next;
    if (tree->last == device)
        tree->last = previous;
    device->next = NULL;
    if (device->behind)
        remove_bus(tree, device->behind);
}

static bool is_behind(const struct pci_device *device, const struct pci_bus *bus)
{
    for (const struct pci_bus *on = device->on; on; on = on->parent)
        if (on == bus)
            return true;
    return false;
}

struct pci_device *pci_tree_last_behind(const struct pci_tree *tree, const struct pci_bus *bus)
{
    struct pci_device *last = NULL;

    for (struct pci_device *device = tree->first; device; device = device->next)
        if (is_behind(device, bus))
            last = device;
    return last;
}

void pci_bus_free(struct pci_bus *bus)
{
    if (!bus)
        return;
    bus->access->close(bus);
    kfree(bus);
}

void pci_tree_free(struct pci_tree *tree)
{
    while (tree->first) {
        struct pci_device *device = tree->first;

        tree->first = device->next;
        kfree(device);
    }
    while (tree->first_bus) {
        struct pci_bus *bus = tree->first_bus;

        tree->first_bus = bus->next;
        pci_bus_free(bus);
    }
    *tree = (struct pci_tree){0};
}
