/* pci */
#include <base/errno.h>
#include <debug/command.h>
#include <debug/console.h>
#include <hw/pci.h>

#include "names.h"
#include "pci_internal.h"

static void print_bars(const struct pci_device *device)
{
    for (unsigned i = 0; i < PCI_NR_BARS; i++) {
        const struct pci_bar *bar = &device->bars[i];

        if (bar->length == 0)
            continue;
        console_printf("  BAR %u: %s%s%s, 0x%lx bytes", i, bar->is_io ? "I/O" : "memory",
                       bar->is_64bit ? " 64 bit" : "", bar->is_prefetchable ? " prefetchable" : "", bar->length);
        if (bar->base.value != 0)
            console_printf(" at 0x%lx\n", bar->base.value);
        else
            console_printf(", no address\n");
    }
}

/* Each id once, wherever the list goes. */
static void print_capabilities(const struct pci_device *device)
{
    static const char *const names[] = {
        [0x01] = "power management",
        [0x02] = "AGP",
        [0x03] = "vital product data",
        [0x04] = "slot",
        [0x05] = "MSI",
        [0x07] = "PCI-X",
        [0x08] = "HyperTransport",
        [0x09] = "vendor",
        [0x0a] = "debug port",
        [0x0c] = "hot-plug",
        [0x0d] = "subsystem",
        [0x0e] = "AGP 8x",
        [0x10] = "PCI Express",
        [0x11] = "MSI-X",
        [0x12] = "SATA",
        [0x13] = "advanced features",
        [0x14] = "enhanced allocation",
    };
    const char *separator = "  capabilities: ";

    for (unsigned id = 0; id <= UINT8_MAX; id++) {
        unsigned at = pci_find_capability(device, (uint8_t)id, 0);

        if (at == 0)
            continue;
        if (id < ARRAY_SIZE(names) && names[id])
            console_printf("%s%s (0x%02x)", separator, names[id], at);
        else
            console_printf("%sid 0x%02x (0x%02x)", separator, id, at);
        separator = ", ";
    }
    if (separator[0] == ',')
        console_printf("\n");
}

static void print_pin(const struct pci_device *device)
{
    struct acpi_pci_route route;

    console_printf("  interrupt pin INT%c, ", 'A' + device->interrupt_pin - 1);
    if (pci_route_by_table(device, &route) == 0)
        console_printf("wired to input %u\n", route.gsi);
    else if (pci_route_by_line(device, &route) == 0)
        console_printf("wired to input %u as the line register says\n", route.gsi);
    else
        console_printf("nobody says where it is wired to\n");
}

/* "Intel ICH9, ISA bridge", as far as there are words. */
static void print_words(const struct pci_device *device)
{
    const char *vendor = pci_vendor_name(device->vendor), *words = pci_device_words(device->vendor, device->id);

    console_printf("%s%s%s%s%s", vendor ? vendor : "", vendor && words ? " " : "", words ? words : "",
                   vendor || words ? ", " : "", pci_class_name(device->class_code));
}

static void print_function(const struct pci_device *device)
{
    static const char *const modes[] = {[PCI_MSIX] = "MSI-X", [PCI_MSI] = "MSI", [PCI_INTX] = "the pin"};
    uint16_t command = pci_read16(device, PCI_COMMAND);

    console_printf("%s %04x:%04x ", device->device.name, device->vendor, device->id);
    print_words(device);
    console_printf(" (0x%06x) rev 0x%02x: %s%s\n", device->class_code, device->revision,
                   device_driver_name(&device->device), command & PCI_COMMAND_MASTER ? ", bus master" : "");
    print_bars(device);
    print_capabilities(device);
    if (device->interrupt_pin != 0)
        print_pin(device);
    if (pci_interrupts_count(device) != 0)
        console_printf("  %u vectors by %s\n", pci_interrupts_count(device), modes[pci_interrupts_mode(device)]);
    if (pci_is_bridge(device))
        console_printf("  buses %02x to %02x\n", pci_read8(device, PCI_SECONDARY_BUS),
                       pci_read8(device, PCI_SUBORDINATE_BUS));
}

static bool visit(struct device *device, void *context)
{
    if (device->bus == &pci_bus_type) {
        print_function(CONTAINER_OF(device, const struct pci_device, device));
        *(bool *)context = true;
    }
    return true;
}

static int run_pci(int argc, char **argv)
{
    bool has_any = false;

    (void)argv;
    if (argc > 1)
        return -E2BIG;
    device_for_each(visit, &has_any);
    if (!has_any)
        console_printf("No PCI.\n");
    return 0;
}

COMMAND(pci, .name = "pci", .arguments = "", .summary = "PCI functions: BARs, capabilities, interrupts", .run = run_pci,
        .details = "NAME VENDOR:DEVICE WORDS (CLASS) REVISION: DRIVER, and below it what it has.");
