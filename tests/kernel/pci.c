/* BARs used for real, on the device QEMU has for that: its first BAR counts writes (QEMU's docs/specs/pci-testdev), its
 * third, where the machine gives it one, has nothing behind its addresses. */
#include <debug/test.h>
#include <dev/register.h>
#include <hw/pci.h>
#include <mm/vmalloc.h>
#include <pci/pci.h>

#define TESTDEV_VENDOR 0x1b36u
#define TESTDEV_ID     0x0005u
#define NR_WRITES      5u

/* In BAR 0, each to be read byte by byte. */
enum { TESTDEV_TEST = 0, TESTDEV_OFFSET = 4, TESTDEV_DATA = 8, TESTDEV_COUNT = 12 };

static bool note_testdev(struct device *device, void *context)
{
    struct pci_device **found = context, *function = CONTAINER_OF(device, struct pci_device, device);

    if (device->bus != &pci_bus_type || function->vendor != TESTDEV_VENDOR || function->id != TESTDEV_ID)
        return true;
    *found = function;
    return false;
}

/* NULL where there is none: then there is nothing to test. It is there for good. */
static struct pci_device *find_testdev(void)
{
    struct pci_device *found = NULL;

    device_for_each(note_testdev, &found);
    return found;
}

static uint32_t read_bytes(const reg8 *registers, unsigned offset)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < sizeof(value); i++)
        value |= (uint32_t)register_read8(registers + offset + i) << 8 * i;
    return value;
}

KERNEL_TEST(pci_memory_bar, "pci/what_is_written_to_a_memory_bar_arrives")
{
    struct pci_device *device = find_testdev();

    if (!device)
        return;
    reg8 *registers = pci_map_bar(device, 0, 0, device->bars[0].length);
    EXPECT(registers);
    if (!registers)
        return;
    pci_enable(device, PCI_ENABLE_MEMORY);
    register_write8(registers + TESTDEV_TEST, 0);
    uint32_t offset = read_bytes(registers, TESTDEV_OFFSET), before = read_bytes(registers, TESTDEV_COUNT);
    EXPECT(offset != 0 && offset < device->bars[0].length);
    for (unsigned i = 0; i < NR_WRITES && offset < device->bars[0].length; i++)
        register_write8(registers + offset, (uint8_t)read_bytes(registers, TESTDEV_DATA));
    EXPECT_EQ(read_bytes(registers, TESTDEV_COUNT) - before, NR_WRITES);
    device_unmap(registers);
}

KERNEL_TEST(pci_large_bar, "pci/a_large_bar_is_mapped_and_read_at_its_ends")
{
    struct pci_device *device = find_testdev();
    struct pci_bar *bar = device ? &device->bars[2] : NULL;

    if (!bar || bar->length == 0)
        return;
    EXPECT(bar->base.value != 0);
    reg8 *whole = pci_map_bar(device, 2, 0, bar->length);
    EXPECT(whole);
    if (!whole)
        return;
    pci_enable(device, PCI_ENABLE_MEMORY);
    EXPECT_EQ(register_read8(whole), register_read8(whole + bar->length - 1));
    device_unmap(whole);
    EXPECT(!pci_map_bar(device, 2, bar->length - 1, 2));
}
