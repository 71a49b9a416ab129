/* Configuration space of a function. */
#include <hw/pci.h>

#include "pci_internal.h"

uint32_t pci_bus_read(const struct pci_bus *bus, unsigned devfn, unsigned offset, unsigned bytes)
{
    if (offset > bus->config_bytes - bytes)
        return UINT32_MAX;
    return bus->access->read(bus, devfn, offset, bytes);
}

void pci_bus_write(const struct pci_bus *bus, unsigned devfn, unsigned offset, unsigned bytes, uint32_t value)
{
    if (offset <= bus->config_bytes - bytes)
        bus->access->write(bus, devfn, offset, bytes, value);
}

uint8_t pci_read8(const struct pci_device *device, unsigned offset)
{
    return (uint8_t)pci_bus_read(device->on, pci_devfn(device), offset, sizeof(uint8_t));
}

uint16_t pci_read16(const struct pci_device *device, unsigned offset)
{
    return (uint16_t)pci_bus_read(device->on, pci_devfn(device), offset, sizeof(uint16_t));
}

uint32_t pci_read32(const struct pci_device *device, unsigned offset)
{
    return pci_bus_read(device->on, pci_devfn(device), offset, sizeof(uint32_t));
}

void pci_write8(struct pci_device *device, unsigned offset, uint8_t value)
{
    pci_bus_write(device->on, pci_devfn(device), offset, sizeof(value), value);
}

void pci_write16(struct pci_device *device, unsigned offset, uint16_t value)
{
    pci_bus_write(device->on, pci_devfn(device), offset, sizeof(value), value);
}

void pci_write32(struct pci_device *device, unsigned offset, uint32_t value)
{
    pci_bus_write(device->on, pci_devfn(device), offset, sizeof(value), value);
}

void pci_enable(struct pci_device *device, unsigned what)
{
    pci_write16(device, PCI_COMMAND, (uint16_t)(pci_read16(device, PCI_COMMAND) | what));
    /* A bridge passes nothing on unless it is told to. */
    for (const struct pci_bus *bus = device->on; bus->bridge; bus = bus->parent)
        pci_write16(bus->bridge, PCI_COMMAND, (uint16_t)(pci_read16(bus->bridge, PCI_COMMAND) | what));
}

void pci_disable(struct pci_device *device)
{
    const unsigned all = PCI_ENABLE_IO | PCI_ENABLE_MEMORY | PCI_ENABLE_MASTER;

    pci_write16(device, PCI_COMMAND, (uint16_t)(pci_read16(device, PCI_COMMAND) & ~all));
}
