/* The machine's ways to configuration space. */
#pragma once

#include <base/align.h>
#include <hw/acpi.h>

#include "pci_internal.h"

#define ECAM_BYTES_PER_BUS MIB(1)

extern const struct pci_access pci_ecam_access, pci_ports_access;

/* Whether ports 0xcf8 and 0xcfc are there. */
bool pci_has_ports(void);

/* Where memory mapped configuration space of this bus is, by the MCFG table, else by its root's _CBA; false where
 * neither says so, or where they name the machine's memory. */
bool pci_ecam_of(uint16_t segment, uint8_t bus, struct acpi_mcfg_entry *entry);
