/* Which addresses a root bus passes on. */
#pragma once

#include <acpi/pci.h>

#include "pci_internal.h"

/* Sets a root bus's windows: of what its _CRS says it passes on, that no memory and no configuration space is in. */
void pci_use_root_resources(struct pci_bus *root, const struct acpi_pci_root *firmware);
/* The same where that is not told: the holes that the memory map and ECAM leave. For one root of a machine only. */
void pci_use_holes(struct pci_bus *root);
