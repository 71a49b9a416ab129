/* The machine's root buses. */
#pragma once

#include "pci_internal.h"

/* Finds all of them and everything behind them, with the addresses each passes on. Context: init. */
void pci_scan_roots(struct pci_tree *tree);
