/* What the MADT (ACPI 6.5 5.2.12) says of interrupt controllers, put to use. */
#include <drivers/apic.h>

#include "ioapic.h"
#include "lapic.h"

#include <acpi/madt.h>
#include <acpi/tables.h>
#include <debug/log.h>
#include <hw/ioapic.h>
#include <irq/chip.h>
#include <lib/error_name.h>

#define LINT_DEFAULT_NMI 1 /* MultiProcessor Specification 1.4, 3.6.2.2 */

INIT static void add_ioapic(const struct acpi_madt_ioapic *entry)
{
    int error = ioapic_add(paddr(entry->address), entry->gsi_base);

    if (error)
        log_warn("apic: the IOAPIC the MADT has at 0x%x, from GSI %u on, is not usable: %s", entry->address,
                 entry->gsi_base, error_name(error));
}

/* ISA's own are edge, active high; an override of the level-triggered SCI that says "as the bus" means active low. */
INIT static void add_override(const struct acpi_madt_override *entry)
{
    bool is_level = (entry->flags & ACPI_MPS_TRIGGER_MASK) == ACPI_MPS_LEVEL;
    unsigned polarity = entry->flags & ACPI_MPS_POLARITY_MASK;
    bool is_low = polarity == ACPI_MPS_ACTIVE_LOW || (polarity == 0 && is_level);

    if (entry->bus != 0 || irq_isa_override(entry->source, entry->gsi, is_level ? IRQ_LEVEL : IRQ_EDGE,
                                            is_low ? IRQ_ACTIVE_LOW : IRQ_ACTIVE_HIGH) < 0)
        log_warn("apic: override of bus %u, interrupt %u: there is no such one", entry->bus, entry->source);
}

/* Said of this CPU or of all; the boot CPU's number is known by its APIC id only. */
INIT static uint32_t own_processor_uid(const struct acpi_header *madt)
{
    union acpi_madt_entry entry;

    for (uint32_t at = 0; acpi_madt_next(madt, &at, &entry);) {
        if (entry.header.type == ACPI_MADT_LAPIC && entry.lapic.apic_id == lapic_id())
            return entry.lapic.processor_uid;
        if (entry.header.type == ACPI_MADT_X2APIC && entry.x2apic.apic_id == lapic_id())
            return entry.x2apic.processor_uid;
    }
    return UINT32_MAX;
}

INIT static void set_nmi_pins(const struct acpi_header *madt)
{
    uint32_t own = own_processor_uid(madt);
    union acpi_madt_entry entry;
    bool is_told = false;

    for (uint32_t at = 0; acpi_madt_next(madt, &at, &entry);) {
        if (entry.header.type == ACPI_MADT_LAPIC_NMI && entry.lapic_nmi.lint <= 1 &&
            (entry.lapic_nmi.processor_uid == 0xff || entry.lapic_nmi.processor_uid == own)) {
            lapic_set_nmi_pin(entry.lapic_nmi.lint);
            is_told = true;
        }
        if (entry.header.type == ACPI_MADT_X2APIC_NMI && entry.x2apic_nmi.lint <= 1 &&
            (entry.x2apic_nmi.processor_uid == UINT32_MAX || entry.x2apic_nmi.processor_uid == own)) {
            lapic_set_nmi_pin(entry.x2apic_nmi.lint);
            is_told = true;
        }
    }
    if (!is_told)
        lapic_set_nmi_pin(LINT_DEFAULT_NMI);
}

INIT static void use_madt(const struct acpi_header *madt)
{
    union acpi_madt_entry entry;

    set_nmi_pins(madt);
    for (uint32_t at = 0; acpi_madt_next(madt, &at, &entry);) {
        if (entry.header.type == ACPI_MADT_IOAPIC)
            add_ioapic(&entry.ioapic);
        else if (entry.header.type == ACPI_MADT_OVERRIDE)
            add_override(&entry.override);
    }
}

/* The 8254 is wired to input 2 of every PC's IOAPIC, its input 0 being the 8259s' (MultiProcessor Specification 1.4,
 * figure 3-5). */
INIT static void use_defaults(void)
{
    int error = ioapic_add(paddr(IOAPIC_DEFAULT_ADDRESS), 0);

    lapic_set_nmi_pin(LINT_DEFAULT_NMI);
    if (error)
        log_warn("apic: no IOAPIC at 0x%x: %s", IOAPIC_DEFAULT_ADDRESS, error_name(error));
    else if (irq_isa_override(0, 2, IRQ_EDGE, IRQ_ACTIVE_HIGH) < 0)
        log_warn("apic: the PIT's input is not known");
}

INIT void apic_init(void)
{
    const struct acpi_header *madt = acpi_find_table(ACPI_MADT, 0), *dmar = acpi_find_table(ACPI_DMAR, 0);
    bool is_forbidden = dmar && acpi_dmar_forbids_x2apic(dmar);
    int error = lapic_init(paddr(madt ? acpi_madt_lapic_base(madt) : 0), !is_forbidden);

    if (is_forbidden)
        log_info("apic: the firmware asks for x2APIC mode to be left off");
    if (error) {
        log_warn("apic: no local APIC (%s): there are no interrupts", error_name(error));
        return;
    }
    if (madt)
        use_madt(madt);
    else
        use_defaults();
}

int apic_init_cpu(void)
{
    int error = lapic_init_cpu();

    if (error)
        return error;
    lapic_timer_init_cpu();
    irq_cpu_init();
    return 0;
}
