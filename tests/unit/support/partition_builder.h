/* Writes partition tables into the bytes of a disk. */
#pragma once

#include <stdint.h>

#include <hw/partition.h>

struct built_disk {
    uint8_t *bytes;
    uint64_t nr_sectors;
    uint32_t sector_bytes;
};

void *built_sector(const struct built_disk *disk, uint64_t sector);

/* A boot record in this sector, and entry i of it. */
void build_record(const struct built_disk *disk, uint64_t sector);
void build_record_entry(const struct built_disk *disk, uint64_t sector, unsigned i, uint8_t type, uint32_t first,
                        uint32_t nr_sectors);

/* Protective MBR and both copies of an empty GPT with room for nr_entries; then entry i of both. build_gpt_seal
 * computes the checksums of the copy whose header is in this sector. */
void build_gpt(const struct built_disk *disk, uint32_t nr_entries, uint32_t entry_size);
void build_gpt_entry(const struct built_disk *disk, unsigned i, uint64_t first, uint64_t last);
void build_gpt_seal(const struct built_disk *disk, uint64_t header_sector);
