#include "partition_builder.h"

#include <string.h>

#include <lib/crc32.h>

void *built_sector(const struct built_disk *disk, uint64_t sector)
{
    return disk->bytes + sector * disk->sector_bytes;
}

void build_record(const struct built_disk *disk, uint64_t sector)
{
    struct mbr *record = built_sector(disk, sector);

    memset(record, 0, sizeof(*record));
    record->signature = MBR_SIGNATURE;
}

void build_record_entry(const struct built_disk *disk, uint64_t sector, unsigned i, uint8_t type, uint32_t first,
                        uint32_t nr_sectors)
{
    struct mbr *record = built_sector(disk, sector);

    record->entries[i] = (struct mbr_entry){.type = type, .first_sector = first, .nr_sectors = nr_sectors};
}

static uint64_t array_sectors(const struct built_disk *disk, uint32_t nr_entries, uint32_t entry_size)
{
    return ((uint64_t)nr_entries * entry_size + disk->sector_bytes - 1) / disk->sector_bytes;
}

static void build_header(const struct built_disk *disk, uint64_t sector, uint64_t other, uint64_t array,
                         uint32_t nr_entries, uint32_t entry_size)
{
    struct gpt_header *header = built_sector(disk, sector);
    uint64_t nr_sectors = array_sectors(disk, nr_entries, entry_size);

    *header = (struct gpt_header){
        .signature = GPT_SIGNATURE,
        .revision = GPT_REVISION,
        .header_size = GPT_HEADER_SIZE_MIN,
        .my_sector = sector,
        .alternate_sector = other,
        .first_usable_sector = 2 + nr_sectors,
        .last_usable_sector = disk->nr_sectors - 2 - nr_sectors,
        .entries_sector = array,
        .nr_entries = nr_entries,
        .entry_size = entry_size,
    };
    build_gpt_seal(disk, sector);
}

void build_gpt(const struct built_disk *disk, uint32_t nr_entries, uint32_t entry_size)
{
    uint64_t last = disk->nr_sectors - 1;

    build_record(disk, 0);
    build_record_entry(disk, 0, 0, MBR_TYPE_GPT, 1, (uint32_t)last);
    build_header(disk, 1, last, 2, nr_entries, entry_size);
    build_header(disk, last, 1, last - array_sectors(disk, nr_entries, entry_size), nr_entries, entry_size);
}

static void build_entry_of(const struct built_disk *disk, uint64_t header_sector, unsigned i, uint64_t first,
                           uint64_t last)
{
    const struct gpt_header *header = built_sector(disk, header_sector);
    uint8_t *array = built_sector(disk, header->entries_sector);
    struct gpt_entry entry = {.type_guid = {0xaf}, .first_sector = first, .last_sector = last};

    memcpy(array + (uint64_t)i * header->entry_size, &entry, sizeof(entry));
    build_gpt_seal(disk, header_sector);
}

void build_gpt_entry(const struct built_disk *disk, unsigned i, uint64_t first, uint64_t last)
{
    build_entry_of(disk, 1, i, first, last);
    build_entry_of(disk, disk->nr_sectors - 1, i, first, last);
}

void build_gpt_seal(const struct built_disk *disk, uint64_t header_sector)
{
    struct gpt_header *header = built_sector(disk, header_sector);
    uint64_t length = (uint64_t)header->nr_entries * header->entry_size;
    uint64_t room = header->entries_sector < disk->nr_sectors
                        ? (disk->nr_sectors - header->entries_sector) * disk->sector_bytes
                        : 0;

    if (length <= room)
        header->entries_crc32 = crc32_update(0, built_sector(disk, header->entries_sector), length);
    header->header_crc32 = 0;
    if (header->header_size <= disk->sector_bytes)
        header->header_crc32 = crc32_update(0, header, header->header_size);
}
