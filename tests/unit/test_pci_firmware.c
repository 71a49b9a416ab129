/* What PCI makes of the firmware's word: which addresses a root's devices get, and where pins are wired to. */
#include "support/unit.h"

#include <string.h>

#include <acpi/tables.h>
#include <base/align.h>
#include <base/errno.h>
#include <boot/boot_info.h>
#include <cpu/features.h>
#include <hw/pci.h>

#include "../../drivers/pci/access.h"
#include "../../drivers/pci/root_windows.h"
#include "support/pci_model.h"

static struct boot_info info;
static struct cpu_identity identity = {.physical_bits = 40};
static struct acpi_mcfg_entry ecam;

const struct boot_info *boot_info(void)
{
    return &info;
}

const struct cpu_identity *cpu_identity(void)
{
    return &identity;
}

bool pci_ecam_of(uint16_t segment, uint8_t bus, struct acpi_mcfg_entry *entry)
{
    *entry = ecam;
    return ecam.base != 0;
}

/* The firmware's wiring: a table for one bus, and what it answers. */
static const struct aml_node *wired_bus;
static unsigned wired_slot, wired_pin;
static int wiring_error;
static uint8_t madt[64];

int acpi_pci_route(const struct aml_node *bus, unsigned slot, unsigned pin, struct acpi_pci_route *route)
{
    if (!bus || bus != wired_bus)
        return -ENOENT;
    wired_slot = slot;
    wired_pin = pin;
    *route = (struct acpi_pci_route){16 + pin, true, true};
    return wiring_error;
}

const struct aml_node *acpi_pci_function(const struct aml_node *bus, unsigned slot, unsigned function)
{
    return NULL;
}

const struct acpi_header *acpi_find_table(const char *signature, unsigned n)
{
    return n == 0 && strcmp(signature, ACPI_MADT) == 0 ? (const struct acpi_header *)madt : NULL;
}

static int setup(void **state)
{
    info = (struct boot_info){0};
    ecam = (struct acpi_mcfg_entry){0};
    memset(madt, 0, sizeof(madt));
    wired_bus = NULL;
    wiring_error = 0;
    return 0;
}

static void add_memory(uint64_t base, uint64_t end, enum memory_kind kind)
{
    info.memory[info.nr_memory++] = (struct memory_range){paddr(base), end - base, kind};
}

#define DWORDS(n) (uint8_t)(n), (uint8_t)((n) >> 8), (uint8_t)((n) >> 16), (uint8_t)((n) >> 24)
#define QWORDS(n) DWORDS((uint64_t)(n)), DWORDS((uint64_t)(n) >> 32)
#define MEMORY(base, last) \
    0x8a, 43, 0, 0, 0x0c, 1, QWORDS(0), QWORDS(base), QWORDS(last), QWORDS(0), QWORDS((last) - (base) + 1)
#define PORTS(base, last) \
    0x87, 23, 0, 1, 0x0c, 3, DWORDS(0), DWORDS(base), DWORDS(last), DWORDS(0), DWORDS((last) - (base) + 1)

static void check_window(const struct pci_bus *bus, enum pci_space space, uint64_t base, uint64_t end)
{
    assert_int_equal(bus->windows[space].base, base);
    assert_int_equal(bus->windows[space].end, end);
}

static void addresses_are_the_bridges_own(void **state)
{
    static const uint8_t resources[] = {PORTS(0, 0xcf7),
                                        PORTS(0xd00, 0xffff),
                                        MEMORY(0xa0000, 0xbffff),
                                        MEMORY(0xc0000000, 0xfeffffff),
                                        MEMORY(0x100000000, 0xffffffffffff),
                                        0x79,
                                        0};
    const struct acpi_pci_root firmware = {.resources = resources, .resource_bytes = sizeof(resources)};
    struct pci_bus bus = {0};

    add_memory(0, 0xa0000, MEMORY_USABLE);
    add_memory(MIB(1), 0xc8000000, MEMORY_USABLE);       /* more than the bridge knows of */
    add_memory(0xd0000000, 0xd0100000, MEMORY_RESERVED); /* may be the bridge's */
    add_memory(0x100000000, 0x140000000, MEMORY_USABLE);
    ecam = (struct acpi_mcfg_entry){.base = 0xe0000000, .last_bus = 255};
    pci_use_root_resources(&bus, &firmware);
    check_window(&bus, PCI_SPACE_MEMORY, 0xc8000000, 0xe0000000);
    check_window(&bus, PCI_SPACE_PREFETCH, 0x140000000, 1ull << 40);
    check_window(&bus, PCI_SPACE_IO, 0xc000, 0x10000);
}

static void a_bridge_without_windows_has_none(void **state)
{
    static const uint8_t resources[] = {0x88,
                                        13,
                                        0,
                                        2,
                                        0x0c,
                                        0,
                                        0,
                                        0,
                                        0x20,
                                        0,
                                        0x2f,
                                        0,
                                        0,
                                        0,
                                        0x10,
                                        0,
                                        0x86,
                                        9,
                                        0,
                                        1,
                                        DWORDS(0xc0000000),
                                        DWORDS(0x10000), /* its own */
                                        PORTS(0x2000, 0x2fff),
                                        MEMORY(0x10000000, 0x1fffffff)};
    const struct acpi_pci_root firmware = {.resources = resources, .resource_bytes = sizeof(resources)};
    struct pci_bus bus = {0};

    add_memory(0, GIB(1), MEMORY_USABLE);
    pci_use_root_resources(&bus, &firmware);
    check_window(&bus, PCI_SPACE_MEMORY, 0, 0);
    check_window(&bus, PCI_SPACE_PREFETCH, 0, 0);
    check_window(&bus, PCI_SPACE_IO, 0x2000, 0x3000);
}

static void holes_are_what_nothing_is_in(void **state)
{
    struct pci_bus bus = {0};

    add_memory(0, 0x9f000, MEMORY_USABLE);
    add_memory(MIB(1), 0x7fe00000, MEMORY_USABLE);
    add_memory(0x7fe00000, 0x80000000, MEMORY_RESERVED);
    add_memory(0xfffc0000, 0x100000000, MEMORY_RESERVED);
    add_memory(0x100000000, 0x180000000, MEMORY_USABLE);
    ecam = (struct acpi_mcfg_entry){.base = 0xb0000000, .last_bus = 255};
    pci_use_holes(&bus);
    check_window(&bus, PCI_SPACE_MEMORY, 0xc0000000, 0xfec00000);
    check_window(&bus, PCI_SPACE_PREFETCH, 0x180000000, 1ull << 40);
    check_window(&bus, PCI_SPACE_IO, 0xc000, 0x10000);
}

/* A device in slot 5 behind a bridge in slot 3 behind a bridge in slot 2 of a root that has a table. */
static struct pci_bus root, first, second;
static struct pci_device upper, lower, device;
static struct pci_model_function *model;

static void make_bridges(void)
{
    pci_model_reset(PCI_CONFIG_BYTES);
    model = pci_model_add(NULL, 5, 0, false);
    root = (struct pci_bus){
        .firmware = (const struct aml_node *)&root, .access = &pci_model_access, .config_bytes = PCI_CONFIG_BYTES};
    upper = (struct pci_device){.on = &root, .slot = 2};
    first = (struct pci_bus){.parent = &root, .bridge = &upper};
    lower = (struct pci_device){.on = &first, .slot = 3};
    second = (struct pci_bus){.parent = &first, .bridge = &lower};
    device = (struct pci_device){.on = &second, .slot = 5, .interrupt_pin = 2};
    wired_bus = root.firmware;
}

static void bridges_turn_pins(void **state)
{
    struct acpi_pci_route route;

    make_bridges();
    assert_int_equal(pci_route_by_table(&device, &route), 0);
    assert_int_equal(wired_slot, 2);
    assert_int_equal(wired_pin, (1 + 5 + 3) % 4 + 1); /* INTB in slot 5, then slot 3 */
    assert_int_equal(route.gsi, 16 + wired_pin);
    first.firmware = wired_bus = (const struct aml_node *)&first; /* a bridge with a table of its own */
    assert_int_equal(pci_route_by_table(&device, &route), 0);
    assert_int_equal(wired_slot, 3);
    assert_int_equal(wired_pin, (1 + 5) % 4 + 1);
    device.interrupt_pin = 0;
    assert_int_equal(pci_route_by_table(&device, &route), -ENOENT);
}

static void what_cannot_be_read_is_said(void **state)
{
    struct acpi_pci_route route;

    make_bridges();
    wiring_error = -ENOTSUP;
    assert_int_equal(pci_route_by_table(&device, &route), -ENOTSUP);
    wired_bus = NULL;
    assert_int_equal(pci_route_by_table(&device, &route), -ENOENT);
}

static void lines_go_through_overrides(void **state)
{
    const struct acpi_madt_override override = {.header = {ACPI_MADT_OVERRIDE, sizeof(override)},
                                                .source = 10,
                                                .gsi = 20,
                                                .flags = ACPI_MPS_ACTIVE_HIGH | ACPI_MPS_LEVEL};
    struct acpi_pci_route route;
    uint32_t length = sizeof(struct acpi_madt) + sizeof(override);

    make_bridges();
    device.on = &root;
    memcpy(madt + offsetof(struct acpi_header, length), &length, sizeof(length));
    memcpy(madt + sizeof(struct acpi_madt), &override, sizeof(override));
    model->config[PCI_INTERRUPT_LINE] = 10;
    assert_int_equal(pci_route_by_line(&device, &route), 0);
    assert_true(route.gsi == 20 && route.is_level && !route.is_active_low);
    model->config[PCI_INTERRUPT_LINE] = 11;
    assert_int_equal(pci_route_by_line(&device, &route), 0);
    assert_true(route.gsi == 11 && route.is_level && route.is_active_low);
    model->config[PCI_INTERRUPT_LINE] = 0xff;
    assert_int_equal(pci_route_by_line(&device, &route), -ENOENT);
    model->config[PCI_INTERRUPT_LINE] = 0;
    assert_int_equal(pci_route_by_line(&device, &route), -ENOENT);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(addresses_are_the_bridges_own), TEST(a_bridge_without_windows_has_none),
        TEST(holes_are_what_nothing_is_in),  TEST(bridges_turn_pins),
        TEST(what_cannot_be_read_is_said),   TEST(lines_go_through_overrides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
