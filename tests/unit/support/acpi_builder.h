/* Builds ACPI tables in a piece of pretended physical memory. */
#pragma once

#include <boot/physical_memory.h>
#include <hw/acpi.h>

#define ACPI_BUILDER_BASE 0xe0000u /* where a BIOS ROM begins, so that a search finds it too */
#define ACPI_BUILDER_SIZE 0x20000u

struct acpi_builder {
    struct physical_memory memory; /* reads it; everything outside does not exist */
    uint64_t at;                   /* the next free address */
    uint8_t bytes[ACPI_BUILDER_SIZE];
};

void acpi_builder_init(struct acpi_builder *builder);

/* The memory at a physical address. */
void *acpi_builder_at(struct acpi_builder *builder, uint64_t address);

/* Sets the checksum of the table there. */
void acpi_builder_sum(struct acpi_builder *builder, uint64_t address);

/* Appends a table of header and body, with a right checksum. Returns its address. */
uint64_t acpi_builder_table(struct acpi_builder *builder, const char *signature, const void *body, size_t length);

/* Appends an XSDT (or an RSDT) of these addresses. */
uint64_t acpi_builder_xsdt(struct acpi_builder *builder, const uint64_t *tables, unsigned count);
uint64_t acpi_builder_rsdt(struct acpi_builder *builder, const uint64_t *tables, unsigned count);

/* Appends a root pointer, revision 0 (xsdt 0) or 2. */
uint64_t acpi_builder_rsdp(struct acpi_builder *builder, uint64_t rsdt, uint64_t xsdt);
