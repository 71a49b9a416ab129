/* acpi/pci.h's functions on any tree of names. Pure. */
#pragma once

#include <acpi/pci.h>

#include "aml_namespace.h"

bool aml_pci_next_root(const struct aml_namespace *names, struct acpi_pci_root *root);
const struct aml_node *aml_pci_function(const struct aml_namespace *names, const struct aml_node *bus, unsigned slot,
                                        unsigned function);
MUST_CHECK int aml_pci_route(const struct aml_namespace *names, const struct aml_node *bus, unsigned slot, unsigned pin,
                             struct acpi_pci_route *route);
