/* Any bytes as a function's configuration space: 256 or 4096 of them, as the first byte says; the next two are the id
 * that is looked for, and the fourth is where from. */
#include <string.h>

#include <hw/pci.h>

#include "../../drivers/pci/pci_internal.h"
#include "support.h"

static const uint8_t *space;
static size_t space_size;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t read_space(const struct pci_bus *bus, unsigned devfn, unsigned offset, unsigned bytes)
{
    uint32_t value = 0;

    (void)devfn;
    REQUIRE(offset + bytes <= bus->config_bytes, "a read at 0x%x, outside the space", offset);
    if (offset < space_size) /* zeroes behind the input, whatever the width of the read */
        memcpy(&value, space + offset, space_size - offset < bytes ? space_size - offset : bytes);
    return value;
}

static void write_space(const struct pci_bus *bus, unsigned devfn, unsigned offset, unsigned bytes, uint32_t value)
{
    (void)bus, (void)devfn, (void)offset, (void)bytes, (void)value;
    finding("looking for a capability wrote to the device");
}

static void look_for(const struct pci_device *device, unsigned id, unsigned from)
{
    unsigned at = pci_find_capability(device, (uint8_t)id, 0);

    REQUIRE(at == 0 || (at >= PCI_CAPABILITY_FIRST && at < PCI_CONFIG_BYTES && pci_read8(device, at) == (uint8_t)id),
            "capability %u at 0x%x", id, at);
    at = pci_find_extended_capability(device, (uint16_t)id, 0);
    REQUIRE(at == 0 || (at >= PCI_EXTENDED_FIRST && pci_read16(device, at) == id), "extended %u at 0x%x", id, at);
    (void)pci_find_capability(device, (uint8_t)id, from);
    (void)pci_find_extended_capability(device, (uint16_t)id, from << 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct pci_access access = {.name = "bytes", .read = read_space, .write = write_space};
    struct pci_bus bus = {.access = &access};
    struct pci_device device = {.on = &bus};

    if (size < 4)
        return 0;
    bus.config_bytes = data[0] & 1 ? PCI_EXPRESS_CONFIG_BYTES : PCI_CONFIG_BYTES;
    space = data + 4;
    space_size = size - 4;
    device.header_type = read_space(&bus, 0, PCI_HEADER_TYPE, 1) & PCI_HEADER_TYPE_MASK;
    look_for(&device, data[1] | (unsigned)data[2] << 8, data[3]);
    return 0;
}
