/* Which root buses are scanned, how, and with whose addresses: several segments and bus ranges, tables that contradict
 * each other. Configuration space is a list of functions on roots. */
#include "support/unit.h"

#include <stdio.h>
#include <string.h>

#include <acpi/tables.h>
#include <base/errno.h>
#include <hw/pci.h>

#include "../../drivers/pci/access.h"
#include "../../drivers/pci/root_windows.h"
#include "../../drivers/pci/roots.h"
#include "support/plain_heap.h"

#define VENDOR 0x1234u

static struct acpi_pci_root told[4];
static unsigned nr_told;
static struct PACKED {
    struct acpi_mcfg head;
    struct acpi_mcfg_entry entries[4];
} mcfg;
static uint64_t functions[4]; /* segment << 8 | bus, of device 0 */
static unsigned nr_functions;
static bool has_ports, ecam_lies;
static struct pci_tree tree;

static bool is_there(const struct pci_bus *bus)
{
    for (unsigned i = 0; i < nr_functions; i++)
        if (functions[i] == ((uint64_t)bus->segment << 8 | bus->number))
            return true;
    return false;
}

static uint32_t read_some(const struct pci_bus *bus, unsigned devfn, unsigned offset, unsigned bytes)
{
    if (devfn != 0 || !is_there(bus))
        return UINT32_MAX;
    if (offset == PCI_VENDOR_ID)
        return bytes == sizeof(uint16_t) ? VENDOR : VENDOR | 1u << 16;
    return 0;
}

static uint32_t read_ecam(const struct pci_bus *bus, unsigned devfn, unsigned offset, unsigned bytes)
{
    return ecam_lies ? 0x55555555 : read_some(bus, devfn, offset, bytes);
}

static void write_none(const struct pci_bus *bus, unsigned devfn, unsigned offset, unsigned bytes, uint32_t value)
{
}

static int open_ecam(struct pci_bus *bus)
{
    bus->config_bytes = PCI_EXPRESS_CONFIG_BYTES;
    return 0;
}

static void close_bus(struct pci_bus *bus)
{
}

static int open_ports(struct pci_bus *bus)
{
    bus->config_bytes = PCI_CONFIG_BYTES;
    return bus->segment == 0 ? 0 : -ENODEV;
}

const struct pci_access pci_ecam_access = {"ECAM", read_ecam, write_none, open_ecam, close_bus};
const struct pci_access pci_ports_access = {"ports", read_some, write_none, open_ports, close_bus};

bool pci_has_ports(void)
{
    return has_ports;
}

bool pci_ecam_of(uint16_t segment, uint8_t bus, struct acpi_mcfg_entry *entry)
{
    for (uint32_t at = 0; acpi_mcfg_next(&mcfg.head.header, &at, entry);)
        if (entry->segment == segment && bus >= entry->first_bus && bus <= entry->last_bus)
            return true;
    return false;
}

void device_unmap(void *address)
{
}

const struct acpi_header *acpi_find_table(const char *signature, unsigned n)
{
    return &mcfg.head.header;
}

bool acpi_pci_next_root(struct acpi_pci_root *root)
{
    unsigned n = root->node ? (unsigned)((const struct acpi_pci_root *)root->node - told) + 1 : 0;

    if (n < nr_told) {
        *root = told[n];
        root->node = (const struct aml_node *)&told[n];
    }
    return n < nr_told;
}

void pci_use_root_resources(struct pci_bus *root, const struct acpi_pci_root *firmware)
{
    root->windows[0] = (struct pci_window){1, 2};
}

void pci_use_holes(struct pci_bus *root)
{
    root->windows[0] = (struct pci_window){3, 4};
}

static int setup(void **state)
{
    nr_told = nr_functions = 0;
    has_ports = true;
    ecam_lies = false;
    mcfg.head.header.length = sizeof(mcfg.head);
    return 0;
}

static int teardown(void **state)
{
    pci_tree_free(&tree);
    assert_int_equal(plain_heap_in_use(), 0);
    return 0;
}

static void tell(uint16_t segment, uint8_t first, uint8_t last, bool has_resources)
{
    static const uint8_t some[1];

    told[nr_told++] = (struct acpi_pci_root){
        .segment = segment, .first_bus = first, .last_bus = last, .resources = has_resources ? some : NULL};
}

static void allocate(uint16_t segment, uint8_t first, uint8_t last)
{
    unsigned n = (mcfg.head.header.length - (unsigned)sizeof(mcfg.head)) / sizeof(mcfg.entries[0]);

    mcfg.entries[n] = (struct acpi_mcfg_entry){0xb0000000, segment, first, last, 0};
    mcfg.head.header.length += sizeof(mcfg.entries[0]);
}

static void put_function(uint16_t segment, uint8_t bus)
{
    functions[nr_functions++] = (uint64_t)segment << 8 | bus;
}

/* The roots as text: "segment:bus-last window access". */
static void check_roots(const char *expected)
{
    static const char *const windows[] = {"none", "told", "", "holes"};
    char text[256] = "";

    pci_scan_roots(&tree);
    for (const struct pci_bus *bus = tree.first_bus; bus; bus = bus->next)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%u:%02x-%02x %s %s; ", bus->segment, bus->number,
                 bus->last, windows[bus->windows[0].base], bus->access->name);
    assert_string_equal(text, expected);
}

static void nothing_is_told(void **state)
{
    put_function(0, 0);
    check_roots("0:00-ff holes ports; ");
    assert_string_equal(tree.first->device.name, "00:00.0");
}

static void no_way_to_any(void **state)
{
    has_ports = false;
    check_roots("");
}

static void allocations_stand_in_for_roots(void **state)
{
    allocate(0, 0, 0x7f);
    allocate(0, 0x80, 0xff);
    allocate(1, 0, 0xff);
    put_function(1, 0);
    check_roots("0:00-7f holes ECAM; 0:80-ff none ECAM; 1:00-ff none ECAM; ");
    assert_string_equal(tree.first->device.name, "0001:00:00.0");
}

static void roots_are_as_told(void **state)
{
    allocate(0, 0, 0xff);
    allocate(2, 0, 0x3f);
    tell(0, 0, 0x1f, true);
    tell(0, 0x20, 0x21, true);
    tell(2, 0, 0xff, true);
    put_function(0, 0x20);
    check_roots("0:00-1f told ECAM; 0:20-21 told ECAM; 2:00-ff told ECAM; ");
    assert_string_equal(tree.first->device.name, "20:00.0");
}

static void what_is_not_told_ends_before_the_next(void **state)
{
    tell(0, 0x40, 0xff, false);
    tell(0, 0, 0xff, false);
    check_roots("0:40-ff holes ports; 0:00-3f none ports; ");
}

static void a_root_that_is_there_twice(void **state)
{
    tell(0, 0, 0xff, true);
    tell(0, 0, 0xff, false);
    tell(7, 0, 0xff, true); /* no way there */
    check_roots("0:00-ff told ports; ");
}

static void bus_0_is_looked_at_in_any_case(void **state)
{
    tell(0, 0x10, 0x1f, true);
    put_function(0, 0);
    check_roots("0:10-1f told ports; 0:00-0f none ports; ");
}

static void ecam_that_shows_something_else_is_not_used(void **state)
{
    allocate(0, 0, 0xff);
    ecam_lies = true;
    put_function(0, 0);
    check_roots("0:00-ff holes ports; ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_told),
        TEST(no_way_to_any),
        TEST(allocations_stand_in_for_roots),
        TEST(roots_are_as_told),
        TEST(what_is_not_told_ends_before_the_next),
        TEST(a_root_that_is_there_twice),
        TEST(bus_0_is_looked_at_in_any_case),
        TEST(ecam_that_shows_something_else_is_not_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
