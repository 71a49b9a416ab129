/* What bridges pass on (PCI-to-PCI Bridge 1.2, 3.2.5). */
#include <base/align.h>
#include <hw/pci.h>

#include "pci_internal.h"

#define IO_GRANULE     KIB(4)
#define MEMORY_GRANULE MIB(1)

/* Base and limit to a window; a limit below the base: none. */
static struct pci_window make_window(uint64_t base, uint64_t limit, uint64_t granule)
{
    uint64_t end = limit | (granule - 1);

    if (end < base || end == UINT64_MAX)
        return (struct pci_window){0, 0};
    return (struct pci_window){base, end + 1};
}

static struct pci_window read_io(struct pci_device *bridge)
{
    uint8_t low = pci_read8(bridge, PCI_BRIDGE_IO_BASE);
    uint64_t base = (low & 0xf0u) << 8, limit = (pci_read8(bridge, PCI_BRIDGE_IO_LIMIT) & 0xf0u) << 8;

    if ((low & 0xf) == PCI_BRIDGE_WIDE) {
        base |= (uint64_t)pci_read16(bridge, PCI_BRIDGE_IO_BASE_UPPER) << 16;
        limit |= (uint64_t)pci_read16(bridge, PCI_BRIDGE_IO_LIMIT_UPPER) << 16;
    }
    return make_window(base, limit, IO_GRANULE);
}

static struct pci_window read_memory(struct pci_device *bridge)
{
    uint64_t base = (uint64_t)(pci_read16(bridge, PCI_BRIDGE_MEMORY_BASE) & 0xfff0u) << 16;
    uint64_t limit = (uint64_t)(pci_read16(bridge, PCI_BRIDGE_MEMORY_LIMIT) & 0xfff0u) << 16;

    return make_window(base, limit, MEMORY_GRANULE);
}

static struct pci_window read_prefetch(struct pci_device *bridge)
{
    uint16_t low = pci_read16(bridge, PCI_BRIDGE_PREFETCH_BASE);
    uint64_t base = (uint64_t)(low & 0xfff0u) << 16;
    uint64_t limit = (uint64_t)(pci_read16(bridge, PCI_BRIDGE_PREFETCH_LIMIT) & 0xfff0u) << 16;

    if ((low & 0xf) == PCI_BRIDGE_WIDE) {
        base |= (uint64_t)pci_read32(bridge, PCI_BRIDGE_PREFETCH_BASE_UPPER) << 32;
        limit |= (uint64_t)pci_read32(bridge, PCI_BRIDGE_PREFETCH_LIMIT_UPPER) << 32;
    }
    return make_window(base, limit, MEMORY_GRANULE);
}

/* After reset all of it is 0, which would read as the first granule of each space. */
static struct pci_window unless_reset(struct pci_window window)
{
    return window.base == 0 ? (struct pci_window){0, 0} : window;
}

void pci_read_windows(struct pci_bus *bus)
{
    bus->windows[PCI_SPACE_IO] = unless_reset(read_io(bus->bridge));
    bus->windows[PCI_SPACE_MEMORY] = unless_reset(read_memory(bus->bridge));
    bus->windows[PCI_SPACE_PREFETCH] = unless_reset(read_prefetch(bus->bridge));
}

void pci_write_window(struct pci_bus *bus, enum pci_space space, struct pci_window window)
{
    struct pci_device *bridge = bus->bridge;
    uint64_t base = window.base, limit = window.end - 1;

    bus->windows[space] = window;
    switch (space) {
    case PCI_SPACE_IO:
        pci_write8(bridge, PCI_BRIDGE_IO_BASE, (uint8_t)(base >> 8 & 0xf0));
        pci_write8(bridge, PCI_BRIDGE_IO_LIMIT, (uint8_t)(limit >> 8 & 0xf0));
        pci_write16(bridge, PCI_BRIDGE_IO_BASE_UPPER, (uint16_t)(base >> 16));
        pci_write16(bridge, PCI_BRIDGE_IO_LIMIT_UPPER, (uint16_t)(limit >> 16));
        break;
    case PCI_SPACE_MEMORY:
        pci_write16(bridge, PCI_BRIDGE_MEMORY_BASE, (uint16_t)(base >> 16 & 0xfff0));
        pci_write16(bridge, PCI_BRIDGE_MEMORY_LIMIT, (uint16_t)(limit >> 16 & 0xfff0));
        break;
    case PCI_SPACE_PREFETCH:
        pci_write16(bridge, PCI_BRIDGE_PREFETCH_BASE, (uint16_t)(base >> 16 & 0xfff0));
        pci_write16(bridge, PCI_BRIDGE_PREFETCH_LIMIT, (uint16_t)(limit >> 16 & 0xfff0));
        pci_write32(bridge, PCI_BRIDGE_PREFETCH_BASE_UPPER, (uint32_t)(base >> 32));
        pci_write32(bridge, PCI_BRIDGE_PREFETCH_LIMIT_UPPER, (uint32_t)(limit >> 32));
        break;
    case PCI_NR_SPACES:
        break;
    }
}
