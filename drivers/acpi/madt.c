#include <acpi/madt.h>

#include <lib/string.h>

/* The least bytes of an entry of each type; 0: a type that is not ours. */
static uint8_t entry_size(uint8_t type)
{
    static const uint8_t sizes[] = {
        [ACPI_MADT_LAPIC] = sizeof(struct acpi_madt_lapic),
        [ACPI_MADT_IOAPIC] = sizeof(struct acpi_madt_ioapic),
        [ACPI_MADT_OVERRIDE] = sizeof(struct acpi_madt_override),
        [ACPI_MADT_NMI_SOURCE] = sizeof(struct acpi_madt_nmi_source),
        [ACPI_MADT_LAPIC_NMI] = sizeof(struct acpi_madt_lapic_nmi),
        [ACPI_MADT_LAPIC_ADDRESS] = sizeof(struct acpi_madt_lapic_address),
        [ACPI_MADT_X2APIC] = sizeof(struct acpi_madt_x2apic),
        [ACPI_MADT_X2APIC_NMI] = sizeof(struct acpi_madt_x2apic_nmi),
    };

    return type < ARRAY_SIZE(sizes) ? sizes[type] : 0;
}

bool acpi_madt_next(const struct acpi_header *madt, uint32_t *cursor, union acpi_madt_entry *entry)
{
    const char *bytes = (const char *)madt;

    if (*cursor < sizeof(struct acpi_madt))
        *cursor = sizeof(struct acpi_madt);
    while (*cursor <= madt->length && madt->length - *cursor >= sizeof(entry->header)) {
        struct acpi_madt_entry_header header;
        const char *at = bytes + *cursor;

        memcpy(&header, at, sizeof(header));
        if (header.length < sizeof(header) || header.length > madt->length - *cursor)
            break;
        *cursor += header.length;
        uint8_t size = entry_size(header.type);
        if (size != 0 && header.length >= size) {
            memcpy(entry, at, size);
            return true;
        }
    }
    *cursor = madt->length;
    return false;
}

uint64_t acpi_madt_lapic_base(const struct acpi_header *madt)
{
    const struct acpi_madt *fixed = (const struct acpi_madt *)madt;
    union acpi_madt_entry entry;

    if (madt->length < sizeof(*fixed))
        return 0;
    for (uint32_t at = 0; acpi_madt_next(madt, &at, &entry);)
        if (entry.header.type == ACPI_MADT_LAPIC_ADDRESS)
            return entry.lapic_address.address;
    return fixed->lapic_address;
}

uint32_t acpi_madt_flags(const struct acpi_header *madt)
{
    return madt->length < sizeof(struct acpi_madt) ? 0 : ((const struct acpi_madt *)madt)->flags;
}
