/* Base address registers (PCI Local Bus 3.0 6.2.5). */
#include <base/align.h>
#include <debug/log.h>
#include <hw/pci.h>

#include "pci_internal.h"

#define NR_BRIDGE_BARS 2u
#define IO_UPPER_HALF  0xffff0000u /* a device may leave the upper half of an I/O BAR out */

unsigned pci_nr_bars(const struct pci_device *device)
{
    if (device->header_type == PCI_HEADER_DEVICE)
        return PCI_NR_BARS;
    return device->header_type == PCI_HEADER_BRIDGE ? NR_BRIDGE_BARS : 0;
}

/* Which bits of the register stick. */
static uint32_t probe_register(struct pci_device *device, unsigned offset, uint32_t *value)
{
    *value = pci_read32(device, offset);
    pci_write32(device, offset, UINT32_MAX);
    uint32_t bits = pci_read32(device, offset);
    pci_write32(device, offset, *value);
    return bits;
}

static void refuse(const struct pci_device *device, unsigned index, const char *why)
{
    log_warn("pci: %s: BAR %u left alone: %s", device->device.name, index, why);
}

/* Returns how many registers it takes. */
static unsigned size_bar(struct pci_device *device, unsigned index, unsigned nr_bars)
{
    struct pci_bar *bar = &device->bars[index];
    unsigned offset = PCI_BAR0 + index * 4, taken = 1;
    uint32_t value, upper = 0, bits = probe_register(device, offset, &value);
    bool is_io = value & PCI_BAR_IO, is_64bit = !is_io && (value & PCI_BAR_TYPE_MASK) == PCI_BAR_TYPE_64;
    uint32_t flags = is_io ? PCI_BAR_IO_FLAGS : PCI_BAR_MEMORY_FLAGS;
    uint64_t mask = bits & ~flags, base = value & ~flags;

    *bar = (struct pci_bar){0};
    if (bits == 0 || (bits == UINT32_MAX && value == UINT32_MAX))
        return taken;
    if (is_64bit) {
        if (index + 1 == nr_bars) {
            refuse(device, index, "there is no register for its upper half");
            return taken;
        }
        taken = 2;
        mask |= (uint64_t)probe_register(device, offset + 4, &upper) << 32;
        base |= (uint64_t)upper << 32;
    }
    if (mask == 0)
        return taken;
    if (is_io)
        mask |= IO_UPPER_HALF;
    if (mask >> 32 == 0)
        mask |= UINT64_MAX << 32;
    uint64_t length = mask & -mask;
    if (mask != -length) {
        refuse(device, index, "its size is no power of two");
        return taken;
    }
    *bar = (struct pci_bar){
        .base = paddr(base),
        .length = length,
        .is_io = is_io,
        .is_64bit = is_64bit,
        .is_prefetchable = !is_io && (value & PCI_BAR_PREFETCHABLE),
    };
    return taken;
}

void pci_size_bars(struct pci_device *device)
{
    uint16_t command = pci_read16(device, PCI_COMMAND);
    unsigned nr_bars = pci_nr_bars(device);

    if (nr_bars == 0)
        return;
    pci_write16(device, PCI_COMMAND, command & (uint16_t) ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
    /* Nobody reads expansion ROMs, and what decodes nothing needs no addresses. */
    unsigned rom = device->header_type == PCI_HEADER_BRIDGE ? PCI_BRIDGE_ROM : PCI_ROM;
    pci_write32(device, rom, pci_read32(device, rom) & ~PCI_ROM_ENABLE);
    for (unsigned index = 0; index < nr_bars;)
        index += size_bar(device, index, nr_bars);
    pci_write16(device, PCI_COMMAND, command);
}

bool pci_write_bar(struct pci_device *device, unsigned index, uint64_t base)
{
    struct pci_bar *bar = &device->bars[index];
    uint32_t flags = bar->is_io ? PCI_BAR_IO_FLAGS : PCI_BAR_MEMORY_FLAGS;
    unsigned offset = PCI_BAR0 + index * 4;
    uint16_t command = pci_read16(device, PCI_COMMAND);

    pci_write16(device, PCI_COMMAND, command & (uint16_t) ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
    pci_write32(device, offset, (uint32_t)base);
    uint64_t stuck = pci_read32(device, offset) & ~flags;
    if (bar->is_64bit) {
        pci_write32(device, offset + 4, (uint32_t)(base >> 32));
        stuck |= (uint64_t)pci_read32(device, offset + 4) << 32;
    }
    pci_write16(device, PCI_COMMAND, command);
    bar->base = paddr(stuck == base ? base : 0);
    return stuck == base;
}
