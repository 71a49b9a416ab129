/* acpi */
#include <acpi/fadt.h>
#include <acpi/madt.h>
#include <acpi/pci.h>
#include <acpi/resource.h>
#include <acpi/tables.h>
#include <base/errno.h>
#include <debug/command.h>
#include <debug/console.h>

#include "power.h"
#include "table.h"

static void print_text(const char *text, unsigned length)
{
    for (unsigned i = 0; i < length && text[i] != '\0'; i++)
        console_printf("%c", text[i] >= ' ' && text[i] <= '~' ? text[i] : '?');
}

static void print_tables(void)
{
    const struct acpi_header *table;
    char signature[ACPI_SIGNATURE_SIZE + 1];
    paddr_t physical;

    for (unsigned n = 0; (table = acpi_table(n, &physical)); n++) {
        acpi_signature_text(table->signature, signature);
        console_printf("%s  0x%09lx  %6u bytes, revision %u, ", signature, physical.value, table->length,
                       table->revision);
        print_text(table->oem_id, sizeof(table->oem_id));
        console_printf("\n");
    }
}

static void print_entry(const union acpi_madt_entry *entry)
{
    switch (entry->header.type) {
    case ACPI_MADT_LAPIC:
        console_printf("  LAPIC %u%s\n", entry->lapic.apic_id,
                       entry->lapic.flags & ACPI_MADT_CPU_ENABLED ? "" : ", disabled");
        break;
    case ACPI_MADT_X2APIC:
        console_printf("  x2APIC %u%s\n", entry->x2apic.apic_id,
                       entry->x2apic.flags & ACPI_MADT_CPU_ENABLED ? "" : ", disabled");
        break;
    case ACPI_MADT_IOAPIC:
        console_printf("  IOAPIC %u at 0x%x, inputs from %u\n", entry->ioapic.id, entry->ioapic.address,
                       entry->ioapic.gsi_base);
        break;
    case ACPI_MADT_OVERRIDE:
        console_printf("  ISA interrupt %u is input %u, flags 0x%x\n", entry->override.source, entry->override.gsi,
                       entry->override.flags);
        break;
    case ACPI_MADT_NMI_SOURCE:
        console_printf("  input %u is an NMI\n", entry->nmi_source.gsi);
        break;
    case ACPI_MADT_LAPIC_NMI:
        console_printf("  LINT%u of CPU uid 0x%x is an NMI\n", entry->lapic_nmi.lint, entry->lapic_nmi.processor_uid);
        break;
    case ACPI_MADT_X2APIC_NMI:
        console_printf("  LINT%u of CPU uid 0x%x is an NMI\n", entry->x2apic_nmi.lint, entry->x2apic_nmi.processor_uid);
        break;
    default:
        break;
    }
}

static void print_madt(void)
{
    const struct acpi_header *madt = acpi_find_table(ACPI_MADT, 0);
    union acpi_madt_entry entry;

    if (!madt)
        return;
    console_printf("LAPICs at 0x%lx%s\n", acpi_madt_lapic_base(madt),
                   acpi_madt_flags(madt) & ACPI_MADT_PCAT_COMPAT ? ", and 8259s" : "");
    for (uint32_t at = 0; acpi_madt_next(madt, &at, &entry);)
        print_entry(&entry);
}

static void print_register(const char *name, const struct acpi_register *from)
{
    if (from->address != 0)
        console_printf("%s at %s 0x%lx\n", name, from->space == ACPI_SPACE_IO ? "port" : "address", from->address);
}

static void print_fixed(void)
{
    const struct acpi_fixed *fixed = acpi_fixed();
    uint8_t type_a, type_b;

    if (!fixed)
        return;
    print_register("PM1a control", &fixed->pm1a_control);
    print_register("PM1b control", &fixed->pm1b_control);
    print_register("sleep control", &fixed->sleep_control);
    print_register("PM timer", &fixed->pm_timer);
    print_register("reset register", &fixed->reset);
    if (acpi_sleep_types(&type_a, &type_b))
        console_printf("\\_S5: sleep types %u, %u\n", type_a, type_b);
    else
        console_printf("no \\_S5: the machine cannot be powered off\n");
}

static void print_timers_and_buses(void)
{
    const struct acpi_header *mcfg = acpi_find_table(ACPI_MCFG, 0);
    struct acpi_mcfg_entry entry;
    struct acpi_hpet_info hpet;

    if (acpi_hpet_info(&hpet) == 0)
        console_printf("HPET %u at 0x%lx\n", hpet.number, hpet.base.value);
    for (uint32_t at = 0; mcfg && acpi_mcfg_next(mcfg, &at, &entry);)
        console_printf("PCI segment %u, buses %02x to %02x: configuration space at 0x%lx\n", entry.segment,
                       entry.first_bus, entry.last_bus, entry.base);
}

static void print_window(const struct acpi_resource *window)
{
    static const char *const names[] = {[ACPI_RESOURCE_MEMORY] = "memory", [ACPI_RESOURCE_IO] = "ports"};

    if (window->is_window && window->kind < ARRAY_SIZE(names))
        console_printf("  %s 0x%lx to 0x%lx\n", names[window->kind], window->base, window->base + window->length - 1);
}

static void print_roots(void)
{
    struct acpi_pci_root root = {0};
    struct acpi_resource window;

    while (acpi_pci_next_root(&root)) {
        console_printf("PCI root: segment %u, buses %02x to %02x", root.segment, root.first_bus, root.last_bus);
        if (root.ecam_base != 0)
            console_printf(", configuration space at 0x%lx", root.ecam_base);
        console_printf("%s\n", root.resources ? "" : ", its addresses cannot be told");
        for (uint32_t at = 0; acpi_resource_next(root.resources, root.resource_bytes, &at, &window);)
            print_window(&window);
    }
}

static int run_acpi(int argc, char **argv)
{
    paddr_t physical;

    (void)argv;
    if (argc > 1)
        return -E2BIG;
    if (!acpi_table(0, &physical)) {
        console_printf("No ACPI tables.\n");
        return 0;
    }
    print_tables();
    print_fixed();
    print_madt();
    print_timers_and_buses();
    print_roots();
    return 0;
}

COMMAND(acpi, .name = "acpi", .arguments = "", .summary = "the firmware's ACPI tables, and what they say",
        .run = run_acpi);
