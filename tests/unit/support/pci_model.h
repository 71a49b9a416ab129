/* A model of configuration space: functions on a root bus 0 and behind bridges, which are where their bus registers
 * say. */
#pragma once

#include "../../../drivers/pci/pci_internal.h"

#define PCI_MODEL_MAX 300

struct pci_model_function {
    struct pci_model_function *behind; /* a bridge; NULL: on the root bus */
    uint8_t devfn;
    bool is_gone;
    uint8_t config[4096];
    uint8_t writable[4096]; /* which bits a write changes */
};

extern const struct pci_access pci_model_access;

/* Takes all functions away; config_bytes is 256 or 4096. */
void pci_model_reset(unsigned config_bytes);

/* Functions: a device, or a bridge (with 64-bit prefetchable and 32-bit I/O windows). */
struct pci_model_function *pci_model_add(struct pci_model_function *behind, uint8_t slot, uint8_t function,
                                         bool is_bridge);

/* Gives it a BAR of this size; flags are the low bits of the register (PCI_BAR_*). */
void pci_model_bar(struct pci_model_function *function, unsigned index, uint64_t size, uint32_t flags);

void pci_model_set16(struct pci_model_function *function, unsigned offset, uint16_t value);
uint32_t pci_model_get32(const struct pci_model_function *function, unsigned offset);
