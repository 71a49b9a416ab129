/* The GUID partition table (UEFI 2.10 5.3.2): the header in sector 1, or where that or its array is broken the one in
 * the last sector. A copy is believed when both checksums hold and everything it names lies where the standard allows
 * it. */
#include <base/align.h>
#include <base/errno.h>
#include <debug/log.h>
#include <hw/partition.h>
#include <lib/crc32.h>
#include <lib/string.h>

#include "partition.h"

#define PRIMARY_SECTOR 1u
#define ARRAY_MAX      MIB(1) /* 64 times what partitioning tools write; longer ones would be read for minutes */

static uint64_t array_bytes(const struct gpt_header *header)
{
    return (uint64_t)header->nr_entries * header->entry_size; /* 32 bits each */
}

/* Sectors of the array; array_bytes is at most ARRAY_MAX. */
static uint64_t array_sectors(const struct partition_disk *disk, const struct gpt_header *header)
{
    return align_up(array_bytes(header), disk->sector_bytes) / disk->sector_bytes;
}

/* UEFI 2.10 5.3.2: the size is 128 * 2^n. */
static bool is_array_size_valid(const struct gpt_header *header)
{
    return header->entry_size >= GPT_ENTRY_SIZE_MIN && header->entry_size <= PARTITION_SECTOR_MAX &&
           is_power_of_two(header->entry_size) && header->nr_entries != 0 && array_bytes(header) <= ARRAY_MAX;
}

static bool is_array_place_valid(const struct partition_disk *disk, const struct gpt_header *header)
{
    uint64_t nr_sectors = array_sectors(disk, header), first = header->entries_sector;

    if (first <= PRIMARY_SECTOR || first >= disk->nr_sectors || nr_sectors > disk->nr_sectors - first)
        return false;
    return first + nr_sectors <= header->first_usable_sector || first > header->last_usable_sector;
}

static bool has_signature(const struct gpt_header *header, uint32_t sector_bytes)
{
    return header->signature == GPT_SIGNATURE && header->header_size >= GPT_HEADER_SIZE_MIN &&
           header->header_size <= sector_bytes;
}

static bool is_checksum_right(void *sector)
{
    struct gpt_header *header = sector;
    uint32_t found = header->header_crc32, computed;

    header->header_crc32 = 0;
    computed = crc32_update(0, sector, header->header_size);
    header->header_crc32 = found;
    return found == computed;
}

/* NULL, or what is wrong. */
static const char *check_header(const struct partition_disk *disk, uint64_t sector, void *bytes)
{
    const struct gpt_header *header = bytes;

    if (!has_signature(header, disk->sector_bytes))
        return "no header";
    if (!is_checksum_right(bytes))
        return "header checksum is wrong";
    if (header->my_sector != sector)
        return "header is another sector's";
    if (header->first_usable_sector > header->last_usable_sector || header->last_usable_sector >= disk->nr_sectors)
        return "usable sectors do not lie within the disk";
    if (!is_array_size_valid(header))
        return "size of the entries is not valid";
    return is_array_place_valid(disk, header) ? NULL : "entries lie where partitions may be, or beyond the disk";
}

/* Calls visit for every piece of the array that is in the buffer: whole entries, for the buffer's size is a multiple of
 * theirs. */
struct array_walk {
    int (*visit)(struct array_walk *walk, const void *bytes, size_t length_bytes);
    const struct partition_disk *disk;
    const struct gpt_header *header;
    struct partition_list *list;
    uint32_t crc;
    unsigned number;
};

static int walk_array(struct array_walk *walk, void *buffer)
{
    uint64_t left = array_bytes(walk->header), sector = walk->header->entries_sector;
    int error = 0;

    while (left != 0 && error == 0) {
        size_t piece = left < PARTITION_SECTOR_MAX ? (size_t)left : PARTITION_SECTOR_MAX;
        size_t length = align_up(piece, walk->disk->sector_bytes);

        error = walk->disk->read(walk->disk, sector, buffer, length);
        if (error == 0)
            error = walk->visit(walk, buffer, piece);
        sector += length / walk->disk->sector_bytes;
        left -= piece;
    }
    return error;
}

static int add_to_checksum(struct array_walk *walk, const void *bytes, size_t length_bytes)
{
    walk->crc = crc32_update(walk->crc, bytes, length_bytes);
    return 0;
}

static bool is_unused(const struct gpt_entry *entry)
{
    static const uint8_t zero[sizeof(entry->type_guid)];

    return memcmp(entry->type_guid, zero, sizeof(zero)) == 0;
}

static int add_entries(struct array_walk *walk, const void *bytes, size_t length_bytes)
{
    const struct gpt_header *header = walk->header;

    for (size_t at = 0; at < length_bytes; at += header->entry_size) {
        const struct gpt_entry *entry = (const void *)((const char *)bytes + at);
        struct partition partition = {entry->first_sector, 0, ++walk->number};

        if (is_unused(entry))
            continue;
        if (entry->first_sector >= header->first_usable_sector && entry->last_sector <= header->last_usable_sector &&
            entry->last_sector >= entry->first_sector)
            partition.nr_sectors = entry->last_sector - entry->first_sector + 1;
        if (partition_list_add(walk->list, walk->disk, &partition) < 0) /* without sectors it is refused there */
            return -ENOMEM;
    }
    return 0;
}

static int read_copy(const struct partition_disk *disk, uint64_t sector, void *buffer, struct partition_list *list)
{
    struct gpt_header header;
    struct array_walk walk = {.visit = add_to_checksum, .disk = disk, .header = &header, .list = list};
    int error = disk->read(disk, sector, buffer, disk->sector_bytes);
    const char *problem;

    if (error < 0)
        return error;
    problem = check_header(disk, sector, buffer);
    if (!problem) {
        memcpy(&header, buffer, sizeof(header));
        error = walk_array(&walk, buffer);
        if (error < 0)
            return error;
        problem = walk.crc == header.entries_crc32 ? NULL : "checksum of the entries is wrong";
    }
    if (problem) {
        log_warn("%s: GPT in sector %lu: %s", disk->name, sector, problem);
        return -EBADMSG;
    }
    walk.visit = add_entries;
    return walk_array(&walk, buffer);
}

int partition_read_gpt(const struct partition_disk *disk, void *buffer, struct partition_list *list)
{
    int error = -EBADMSG;

    if (disk->nr_sectors > PRIMARY_SECTOR)
        error = read_copy(disk, PRIMARY_SECTOR, buffer, list);
    if (error == 0 || error == -ENOMEM || disk->nr_sectors <= PRIMARY_SECTOR + 1)
        return error;
    log_warn("%s: using the backup GPT", disk->name);
    list->count = 0; /* what a read error left */
    return read_copy(disk, disk->nr_sectors - 1, buffer, list);
}
