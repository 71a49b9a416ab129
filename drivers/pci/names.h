/* Functions in words, for people. */
#pragma once

#include <base/types.h>

/* "NVMe", "PCI bridge"; where the subclass is not known what the class is, "other" at last. */
const char *pci_class_name(uint32_t class_code);
/* NULL for those that are not in the table, which has what machines and emulators are made of. */
const char *pci_vendor_name(uint16_t vendor);
const char *pci_device_words(uint16_t vendor, uint16_t device);
