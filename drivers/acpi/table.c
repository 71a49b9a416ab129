#include "table.h"

#include <acpi/tables.h>
#include <base/align.h>
#include <base/errno.h>
#include <lib/string.h>

#define CONFIGURATION_BYTES_PER_BUS MIB(1)

uint8_t acpi_sum(const void *bytes, size_t length)
{
    const uint8_t *byte = bytes;
    uint8_t sum = 0;

    for (size_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + byte[i]);
    return sum;
}

void acpi_signature_text(const char *signature, char text[ACPI_SIGNATURE_SIZE + 1])
{
    for (unsigned i = 0; i < ACPI_SIGNATURE_SIZE; i++)
        text[i] = signature[i] > ' ' && signature[i] <= '~' ? signature[i] : '?';
    text[ACPI_SIGNATURE_SIZE] = '\0';
}

bool acpi_dmar_forbids_x2apic(const struct acpi_header *header)
{
    const struct acpi_dmar *dmar = (const struct acpi_dmar *)header;
    uint8_t both = ACPI_DMAR_INTR_REMAP | ACPI_DMAR_X2APIC_OPT_OUT;

    return header->length >= sizeof(*dmar) && (dmar->flags & both) == both;
}

bool acpi_mcfg_is_sane(const struct acpi_mcfg_entry *entry)
{
    uint64_t bytes = (entry->last_bus + 1ull) * CONFIGURATION_BYTES_PER_BUS;

    return entry->first_bus <= entry->last_bus && entry->base != 0 && is_aligned(entry->base, PAGE_SIZE) &&
           entry->base <= UINT64_MAX - bytes;
}

bool acpi_mcfg_next(const struct acpi_header *mcfg, uint32_t *cursor, struct acpi_mcfg_entry *entry)
{
    if (*cursor < sizeof(struct acpi_mcfg))
        *cursor = sizeof(struct acpi_mcfg);
    while (*cursor <= mcfg->length && mcfg->length - *cursor >= sizeof(*entry)) {
        struct acpi_mcfg_entry read;

        memcpy(&read, (const char *)mcfg + *cursor, sizeof(read));
        *cursor += sizeof(read);
        if (acpi_mcfg_is_sane(&read)) {
            *entry = read;
            return true;
        }
    }
    return false;
}
