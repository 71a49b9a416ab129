/* What the ACPI table readers share: checksums, the way to the tables, and the set of checked copies. */
#pragma once

#include <base/address.h>
#include <base/compiler.h>
#include <base/types.h>
#include <boot/physical_memory.h>
#include <hw/acpi.h>

/* More is no real machine's: the largest DSDTs have some 600 KiB, the largest servers some 60 tables. */
#define ACPI_TABLE_BYTES_MAX (1u << 20)
#define ACPI_TABLES_MAX      512u

/* The sum of all bytes modulo 256: 0 for what has a right checksum. */
uint8_t acpi_sum(const void *bytes, size_t length);

/* A signature with what is not printable as '?'. */
void acpi_signature_text(const char *signature, char text[ACPI_SIGNATURE_SIZE + 1]);

/* Where the list of all tables is; 0: not told. */
struct acpi_roots {
    uint64_t xsdt, rsdt;
};

/* Reads a root pointer of size bytes. Returns 0, -ENOENT where there is no signature, -EBADMSG where a checksum is
 * wrong or it is too short; an ACPI 2.0 part that is wrong costs the XSDT only. */
MUST_CHECK int acpi_rsdp_decode(const void *bytes, size_t size, struct acpi_roots *roots);

/* Looks for it where a BIOS keeps it: the extended BIOS data area and the ROM (ACPI 6.5 5.2.5.1). Returns 0, -ENOENT,
 * -ENOMEM. */
MUST_CHECK int acpi_rsdp_search(const struct physical_memory *memory, struct acpi_roots *roots);

/* A checked copy; header.length bytes of the table begin at header. */
struct acpi_table {
    struct acpi_table *next;
    paddr_t physical;
    struct acpi_header header;
};

struct acpi_table_set {
    struct acpi_table *first, *last;
};

/* Copies every table the roots lead to, and the DSDT. Bad ones are left out with a log line. Returns 0; -ENOENT where
 * neither root is a table. The caller owns the copies until acpi_tables_free. */
MUST_CHECK int acpi_tables_load(struct acpi_table_set *set, const struct physical_memory *memory,
                                const struct acpi_roots *roots);
void acpi_tables_free(struct acpi_table_set *set);

const struct acpi_header *acpi_tables_find(const struct acpi_table_set *set, const char *signature, unsigned n);
