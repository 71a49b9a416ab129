/* The machine's ways to configuration space. */
#pragma once

#include <hw/acpi.h>

#include "pci_internal.h"

extern const struct pci_access pci_ecam_access, pci_ports_access;

/* Whether ports 0xcf8 and 0xcfc are there. */
bool pci_has_ports(void);

/* The allocation of the MCFG table for this bus; false when there is none. */
bool pci_ecam_of(uint16_t segment, uint8_t bus, struct acpi_mcfg_entry *entry);
