/* The entries of the multiple APIC description table (ACPI 6.5 5.2.12). Pure. Context: any. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <hw/acpi.h>

/* Read the member that header.type says. */
union acpi_madt_entry {
    struct acpi_madt_entry_header header;
    struct acpi_madt_lapic lapic;
    struct acpi_madt_ioapic ioapic;
    struct acpi_madt_override override;
    struct acpi_madt_nmi_source nmi_source;
    struct acpi_madt_lapic_nmi lapic_nmi;
    struct acpi_madt_lapic_address lapic_address;
    struct acpi_madt_x2apic x2apic;
    struct acpi_madt_x2apic_nmi x2apic_nmi;
};

/* Steps through the entries; *cursor begins as 0. False past the last. Only entries of a type in enum acpi_madt_type
 * that are as long as it says come out; others are passed over, and one whose length leads nowhere ends the walk.
 *
 *     for (uint32_t at = 0; acpi_madt_next(madt, &at, &entry);)
 *         if (entry.header.type == ACPI_MADT_IOAPIC)
 *             ... entry.ioapic.address ... */
bool acpi_madt_next(const struct acpi_header *madt, uint32_t *cursor, union acpi_madt_entry *entry);

/* The LAPICs' physical address: the 64-bit override where there is one. 0 for a table too short to say. */
uint64_t acpi_madt_lapic_base(const struct acpi_header *madt);

/* ACPI_MADT_*; 0 for a table too short to say. */
uint32_t acpi_madt_flags(const struct acpi_header *madt);
