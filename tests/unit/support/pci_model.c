#include "pci_model.h"

#include <string.h>

#include <hw/pci.h>

static struct pci_model_function functions[PCI_MODEL_MAX];
static unsigned nr_functions, space_bytes;

static struct pci_model_function *at(const struct pci_bus *bus, unsigned devfn)
{
    for (unsigned i = 0; i < nr_functions; i++) {
        uint8_t number = functions[i].behind ? functions[i].behind->config[PCI_SECONDARY_BUS] : 0;

        if (functions[i].devfn == devfn && number == bus->number && (number != 0 || !functions[i].behind))
            return functions[i].is_gone ? NULL : &functions[i];
    }
    return NULL;
}

static uint32_t model_read(const struct pci_bus *bus, unsigned devfn, unsigned offset, unsigned bytes)
{
    const struct pci_model_function *function = at(bus, devfn);
    uint32_t value = UINT32_MAX;

    if (function) {
        value = 0;
        memcpy(&value, function->config + offset, bytes);
    }
    return value;
}

static void model_write(const struct pci_bus *bus, unsigned devfn, unsigned offset, unsigned bytes, uint32_t value)
{
    struct pci_model_function *function = at(bus, devfn);

    for (unsigned i = 0; function && i < bytes; i++) {
        uint8_t mask = function->writable[offset + i];

        function->config[offset + i] = (uint8_t)((function->config[offset + i] & ~mask) | (value >> 8 * i & mask));
    }
}

static int model_open(struct pci_bus *bus)
{
    bus->config_bytes = space_bytes;
    return 0;
}

static void model_close(struct pci_bus *bus)
{
}

const struct pci_access pci_model_access = {"a model", model_read, model_write, model_open, model_close};

void pci_model_reset(unsigned config_bytes)
{
    memset(functions, 0, sizeof(functions));
    nr_functions = 0;
    space_bytes = config_bytes;
}

void pci_model_set16(struct pci_model_function *function, unsigned offset, uint16_t value)
{
    memcpy(function->config + offset, &value, sizeof(value));
}

uint32_t pci_model_get32(const struct pci_model_function *function, unsigned offset)
{
    uint32_t value;

    memcpy(&value, function->config + offset, sizeof(value));
    return value;
}

struct pci_model_function *pci_model_add(struct pci_model_function *behind, uint8_t slot, uint8_t number,
                                         bool is_bridge)
{
    struct pci_model_function *function = &functions[nr_functions++];

    function->behind = behind;
    function->devfn = (uint8_t)(slot << 3 | number);
    pci_model_set16(function, PCI_VENDOR_ID, 0x1234);
    pci_model_set16(function, PCI_DEVICE_ID, (uint16_t)nr_functions);
    function->config[PCI_HEADER_TYPE] = is_bridge ? PCI_HEADER_BRIDGE : PCI_HEADER_DEVICE;
    memset(function->writable + PCI_COMMAND, 0xff, 2);
    if (is_bridge) {
        memset(function->writable + PCI_PRIMARY_BUS, 0xff, 3);
        memset(function->writable + PCI_BRIDGE_MEMORY_BASE, 0xff, 0x32 - 0x20 + 2);
        function->writable[PCI_BRIDGE_IO_BASE] = function->writable[PCI_BRIDGE_IO_LIMIT] = 0xf0;
        function->writable[PCI_BRIDGE_PREFETCH_BASE] = function->writable[PCI_BRIDGE_PREFETCH_LIMIT] = 0xf0;
        function->config[PCI_BRIDGE_PREFETCH_BASE] = function->config[PCI_BRIDGE_PREFETCH_LIMIT] = PCI_BRIDGE_WIDE;
    }
    return function;
}

void pci_model_bar(struct pci_model_function *function, unsigned index, uint64_t size, uint32_t flags)
{
    unsigned offset = PCI_BAR0 + index * 4;
    uint64_t mask = ~(size - 1);
    bool is_wide = !(flags & PCI_BAR_IO) && (flags & PCI_BAR_TYPE_MASK) == PCI_BAR_TYPE_64;

    memcpy(function->writable + offset, &mask, is_wide ? 8 : 4);
    memcpy(function->config + offset, &flags, 4);
}
