/* Where an interrupt pin is wired to: by the _PRT of the first bus on the way up that has it (ACPI 6.5 6.2.13); bridges
 * turn pins by the slot behind them (PCI-to-PCI Bridge 1.2, 9.1). Where no _PRT can be read the line register says
 * which ISA interrupt the firmware wired the pin to, and the MADT which input that is. */
#include <acpi/madt.h>
#include <acpi/tables.h>
#include <base/errno.h>
#include <hw/pci.h>

#include "pci_internal.h"

#define NR_PINS      4u
#define NR_ISA_IRQS  16u
#define LINE_UNKNOWN 0xffu /* PCI Local Bus 3.0 6.2.4 */

void pci_find_firmware_nodes(struct pci_tree *tree)
{
    for (struct pci_bus *bus = tree->first_bus; bus; bus = bus->next) /* parents come first */
        if (bus->bridge)
            bus->firmware = acpi_pci_function(bus->parent->firmware, bus->bridge->slot, bus->bridge->function);
}

int pci_route_by_table(const struct pci_device *device, struct acpi_pci_route *route)
{
    unsigned slot = device->slot, pin = device->interrupt_pin;
    int error = -ENOENT;

    if (pin == 0)
        return -ENOENT;
    for (const struct pci_bus *bus = device->on; bus; bus = bus->parent) {
        error = acpi_pci_route(bus->firmware, slot, pin, route);
        if (error != -ENOENT || !bus->bridge)
            break;
        pin = (pin - 1 + slot) % NR_PINS + 1;
        slot = bus->bridge->slot;
    }
    return error;
}

int pci_route_by_line(const struct pci_device *device, struct acpi_pci_route *route)
{
    const struct acpi_header *madt = acpi_find_table(ACPI_MADT, 0);
    uint8_t line = pci_read8(device, PCI_INTERRUPT_LINE);
    union acpi_madt_entry entry;

    if (device->interrupt_pin == 0 || line == 0 || line == LINE_UNKNOWN)
        return -ENOENT;
    *route = (struct acpi_pci_route){line, true, true};
    for (uint32_t at = 0; madt && line < NR_ISA_IRQS && acpi_madt_next(madt, &at, &entry);) {
        if (entry.header.type != ACPI_MADT_OVERRIDE || entry.override.bus != 0 || entry.override.source != line)
            continue;
        route->gsi = entry.override.gsi;
        if ((entry.override.flags & ACPI_MPS_POLARITY_MASK) == ACPI_MPS_ACTIVE_HIGH)
            route->is_active_low = false;
    }
    return 0;
}
