#include <boot/report.h>
#include <hw/efi.h>
#include <hw/multiboot2.h>
#include <lib/string.h>

#include "multiboot2_tags.h"

/* Entries of either map follow its tag's header; the size of one comes from the loader. */
struct entry_table {
    const uint8_t *entries;
    uint32_t count;
    uint32_t entry_size;
};

/* Checks what the loader says of the entries after a header of header_size bytes. count is 0 where it makes no sense.
 */
static INIT struct entry_table find_entries(const struct multiboot2_tag_bytes *tag, uint32_t header_size,
                                            uint32_t entry_size, uint32_t entry_size_min, const char *what)
{
    uint32_t bytes = tag->size - header_size;

    if (entry_size < entry_size_min) {
        boot_note("multiboot2: %s at +%#x has entries of %u bytes, not %u: left out", what, tag->offset, entry_size,
                  entry_size_min);
        return (struct entry_table){NULL, 0, 0};
    }
    if (bytes / entry_size > MEMORY_MAP_ENTRIES_MAX) {
        boot_note("multiboot2: %s at +%#x has %u entries: left out", what, tag->offset, bytes / entry_size);
        return (struct entry_table){NULL, 0, 0};
    }
    if (bytes % entry_size != 0)
        boot_note("multiboot2: %s at +%#x ends inside an entry, which is left out", what, tag->offset);
    return (struct entry_table){tag->bytes + header_size, bytes / entry_size, entry_size};
}

INIT void multiboot2_read_memory_map(struct multiboot2_reader *reader, const struct multiboot2_tag_bytes *tag)
{
    struct multiboot2_memory_map header;
    struct entry_table table;

    memcpy(&header, tag->bytes, sizeof(header));
    if (header.entry_version != 0)
        boot_note("multiboot2: memory map at +%#x has unknown version %u: read as version 0", tag->offset,
                  header.entry_version);
    table = find_entries(tag, sizeof(header), header.entry_size, sizeof(struct multiboot2_memory_entry), "memory map");
    for (uint32_t i = 0; i < table.count; i++) {
        struct multiboot2_memory_entry entry;

        memcpy(&entry, table.entries + (size_t)i * table.entry_size, sizeof(entry));
        memory_map_add(&reader->map, entry.base, entry.length, memory_kind_of(entry.type));
    }
    reader->has_memory_map = table.count != 0;
}

/* What is left of each type once the firmware has gone (UEFI 2.10 table 7.10). */
static INIT enum memory_kind kind_of_efi(uint32_t type, bool boot_services_run)
{
    switch (type) {
    case EFI_LOADER_CODE:
    case EFI_LOADER_DATA:
    case EFI_CONVENTIONAL_MEMORY:
        return MEMORY_USABLE;
    case EFI_BOOT_SERVICES_CODE:
    case EFI_BOOT_SERVICES_DATA:
        return boot_services_run ? MEMORY_RESERVED : MEMORY_USABLE;
    case EFI_ACPI_RECLAIM_MEMORY:
        return MEMORY_ACPI_RECLAIMABLE;
    case EFI_ACPI_MEMORY_NVS:
        return MEMORY_ACPI_NVS;
    case EFI_UNUSABLE_MEMORY:
        return MEMORY_BAD;
    default:
        return MEMORY_RESERVED;
    }
}

INIT void multiboot2_use_efi_memory_map(struct multiboot2_reader *reader)
{
    const struct multiboot2_tag_bytes *tag = &reader->efi_memory_map;
    struct multiboot2_efi_memory_map header;
    struct entry_table table;

    if (!tag->bytes)
        return;
    memcpy(&header, tag->bytes, sizeof(header));
    table = find_entries(tag, sizeof(header), header.descriptor_size, sizeof(struct efi_memory_descriptor),
                         "EFI memory map");
    for (uint32_t i = 0; i < table.count; i++) {
        struct efi_memory_descriptor entry;
        enum memory_kind kind;
        uint64_t length = UINT64_MAX;

        memcpy(&entry, table.entries + (size_t)i * table.entry_size, sizeof(entry));
        if (entry.nr_pages <= UINT64_MAX >> EFI_PAGE_SHIFT)
            length = entry.nr_pages << EFI_PAGE_SHIFT;
        kind = kind_of_efi(entry.type, reader->boot_services_run);
        if (kind != MEMORY_USABLE || !reader->has_memory_map)
            memory_map_add(&reader->map, entry.physical_start, length, kind);
    }
}
