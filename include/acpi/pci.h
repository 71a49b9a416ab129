/* What the definition blocks say of PCI: where roots are (ACPI 6.5 6.5, PCI Firmware 3.3 4), what they pass on, and
 * where interrupt pins are wired to. Read without running anything (docs/acpi-and-pci.md): what would have to be run is
 * not told. Context: any, after acpi_init. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

struct aml_node; /* an object of the definition blocks */

struct acpi_pci_root {
    const struct aml_node *node;
    uint16_t segment;
    uint8_t first_bus, last_bus; /* last_bus 255 where nothing is said */
    uint64_t ecam_base;          /* of bus 0's configuration space; 0: not told here */
    const uint8_t *resources;    /* for acpi_resource_next; NULL: not told */
    uint32_t resource_bytes;
};

/* The next root that is there, in the order declared: behind root->node, or the first where that is NULL. False past
 * the last. */
bool acpi_pci_next_root(struct acpi_pci_root *root);

/* The device that a function, or the root bus's own bridge, has on the bus that `bus` stands for; NULL: none. */
const struct aml_node *acpi_pci_function(const struct aml_node *bus, unsigned slot, unsigned function);

struct acpi_pci_route {
    uint32_t gsi;
    bool is_level, is_active_low;
};

/* Where pin INTA (1) to INTD (4) of a slot on the bus that `bus` stands for is wired to, by its _PRT. Returns 0;
 * -ENOENT where the bus has no _PRT, or that has nothing of this pin; -ENOTSUP where it would have to be run; -EBADMSG.
 */
MUST_CHECK int acpi_pci_route(const struct aml_node *bus, unsigned slot, unsigned pin, struct acpi_pci_route *route);
