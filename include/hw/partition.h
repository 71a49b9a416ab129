/* Partition tables as they are on disk: the MBR with its extended chain (the sector layout that IBM's DOS 3.3 fixed and
 * every BIOS reads), and the GUID partition table (UEFI 2.10 5.3). Little-endian; all sectors are logical blocks. */
#pragma once

#include <base/assert.h>
#include <base/compiler.h>
#include <base/types.h>

#define MBR_ENTRIES    4
#define MBR_SIGNATURE  0xaa55
#define MBR_ACTIVE     0x80 /* the only status but 0 */
#define MBR_TYPE_EMPTY 0x00
#define MBR_TYPE_GPT   0xee /* UEFI 2.10 5.2.3: protects a disk that has a GPT */

/* Extended partitions: CHS, LBA, Linux. */
#define MBR_TYPE_EXTENDED_CHS   0x05
#define MBR_TYPE_EXTENDED_LBA   0x0f
#define MBR_TYPE_EXTENDED_LINUX 0x85

struct mbr_entry {
    uint8_t status;
    uint8_t first_chs[3];
    uint8_t type;
    uint8_t last_chs[3];
    uint32_t first_sector;
    uint32_t nr_sectors;
} PACKED;
static_assert(sizeof(struct mbr_entry) == 16, "the sector layout");
static_assert(offsetof(struct mbr_entry, type) == 4, "the sector layout");
static_assert(offsetof(struct mbr_entry, first_sector) == 8, "the sector layout");
static_assert(offsetof(struct mbr_entry, nr_sectors) == 12, "the sector layout");

struct mbr {
    uint8_t code[446];
    struct mbr_entry entries[MBR_ENTRIES];
    uint16_t signature;
} PACKED;
static_assert(sizeof(struct mbr) == 512, "the sector layout");
static_assert(offsetof(struct mbr, entries) == 446, "the sector layout");
static_assert(offsetof(struct mbr, signature) == 510, "the sector layout");

#define GPT_SIGNATURE       0x5452415020494645 /* "EFI PART" */
#define GPT_REVISION        0x00010000
#define GPT_HEADER_SIZE_MIN 92
#define GPT_ENTRY_SIZE_MIN  128

/* UEFI 2.10 table 5-5 */
struct gpt_header {
    uint64_t signature;
    uint32_t revision;
    uint32_t header_size;
    uint32_t header_crc32; /* of header_size bytes, with this field 0 */
    uint32_t reserved;
    uint64_t my_sector;
    uint64_t alternate_sector;
    uint64_t first_usable_sector;
    uint64_t last_usable_sector; /* inclusive */
    uint8_t disk_guid[16];
    uint64_t entries_sector;
    uint32_t nr_entries;
    uint32_t entry_size;
    uint32_t entries_crc32;
} PACKED;
static_assert(sizeof(struct gpt_header) == GPT_HEADER_SIZE_MIN, "UEFI 2.10 5.3");
static_assert(offsetof(struct gpt_header, revision) == 8, "UEFI 2.10 5.3");
static_assert(offsetof(struct gpt_header, header_size) == 12, "UEFI 2.10 5.3");
static_assert(offsetof(struct gpt_header, header_crc32) == 16, "UEFI 2.10 5.3");
static_assert(offsetof(struct gpt_header, my_sector) == 24, "UEFI 2.10 5.3");
static_assert(offsetof(struct gpt_header, alternate_sector) == 32, "UEFI 2.10 5.3");
static_assert(offsetof(struct gpt_header, first_usable_sector) == 40, "UEFI 2.10 5.3");
static_assert(offsetof(struct gpt_header, last_usable_sector) == 48, "UEFI 2.10 5.3");
static_assert(offsetof(struct gpt_header, disk_guid) == 56, "UEFI 2.10 5.3");
static_assert(offsetof(struct gpt_header, nr_entries) == 80, "UEFI 2.10 5.3");
static_assert(offsetof(struct gpt_header, entry_size) == 84, "UEFI 2.10 5.3");
static_assert(offsetof(struct gpt_header, entries_crc32) == 88, "UEFI 2.10 5.3");
static_assert(offsetof(struct gpt_header, entries_sector) == 72, "UEFI 2.10 5.3");

/* UEFI 2.10 table 5-6 */
struct gpt_entry {
    uint8_t type_guid[16]; /* all zero: unused */
    uint8_t unique_guid[16];
    uint64_t first_sector;
    uint64_t last_sector; /* inclusive */
    uint64_t attributes;
    uint16_t name[36];
} PACKED;
static_assert(sizeof(struct gpt_entry) == GPT_ENTRY_SIZE_MIN, "UEFI 2.10 5.3");
static_assert(offsetof(struct gpt_entry, unique_guid) == 16, "UEFI 2.10 5.3");
static_assert(offsetof(struct gpt_entry, first_sector) == 32, "UEFI 2.10 5.3");
static_assert(offsetof(struct gpt_entry, last_sector) == 40, "UEFI 2.10 5.3");
static_assert(offsetof(struct gpt_entry, attributes) == 48, "UEFI 2.10 5.3");
static_assert(offsetof(struct gpt_entry, name) == 56, "UEFI 2.10 5.3");
