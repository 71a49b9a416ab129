/* The firmware's ACPI tables (ACPI 6.5 5.2): found, checked and copied at boot, so that nothing changes or vanishes
 * under their readers. A table whose length or checksum is wrong is left out, with a log line. Without ACPI
 * (`acpi=off`, or a machine that has none) there are simply no tables. The tables are [I] once acpi_init has returned.
 *
 * Every copy is a whole struct acpi_header at least, and its `length` bytes are readable; what lies behind the header
 * is still the firmware's word. Readers of single tables: acpi/madt.h, acpi/fadt.h, and below. */
#pragma once

#include <base/address.h>
#include <base/compiler.h>
#include <base/types.h>
#include <hw/acpi.h>

struct boot_info;

/* Finds and copies the tables. Context: init, once; needs the heap. */
void acpi_init(const struct boot_info *info);

/* The n-th table (from 0) with this signature (ACPI_MADT ...), or NULL. The DSDT is among them. Context: any. */
const struct acpi_header *acpi_find_table(const char *signature, unsigned n);

/* The n-th of all tables in the order the firmware lists them, or NULL; *physical is where it was. Context: any. */
const struct acpi_header *acpi_table(unsigned n, paddr_t *physical);

/* What the HPET table says. -ENOENT without one, -EBADMSG where it is too short or its registers are not in memory. */
struct acpi_hpet_info {
    paddr_t base; /* of the registers */
    uint8_t number;
    uint16_t min_tick;
};
MUST_CHECK int acpi_hpet_info(struct acpi_hpet_info *info);

/* Whether a DMAR table asks for x2APIC mode to be left off: the firmware's own code cannot do with it. Pure: any bytes
 * in a checked header's length. */
bool acpi_dmar_forbids_x2apic(const struct acpi_header *dmar);

/* Whether an allocation's bus numbers and base can be. Pure. */
bool acpi_mcfg_is_sane(const struct acpi_mcfg_entry *entry);

/* Steps through the allocations of an MCFG table; *cursor begins as 0. False past the last. Entries with first_bus
 * behind last_bus or a misaligned or wrapping base are passed over. Pure: any bytes in a checked header's length. */
bool acpi_mcfg_next(const struct acpi_header *mcfg, uint32_t *cursor, struct acpi_mcfg_entry *entry);
