/* Which addresses a root bus passes on. */
#pragma once

#include "pci_internal.h"

/* Sets a root bus's windows: the holes that the memory map and ECAM leave. */
void pci_find_root_windows(struct pci_bus *root);
