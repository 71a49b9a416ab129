/* The MBR's four entries, and the chain of extended boot records: each holds one logical partition, counted from the
 * record itself, and the next record, counted from the beginning of the extended partition. A chain may loop, or run
 * over the whole disk: it is followed for CHAIN_MAX records. */
#include "partition.h"

#include <base/errno.h>
#include <debug/log.h>
#include <hw/partition.h>
#include <lib/string.h>

#define CHAIN_MAX     256u /* logical partitions; Linux stops at 256 minors as well */
#define FIRST_LOGICAL 5u

static bool is_extended(const struct mbr_entry *entry)
{
    return entry->type == MBR_TYPE_EXTENDED_CHS || entry->type == MBR_TYPE_EXTENDED_LBA ||
           entry->type == MBR_TYPE_EXTENDED_LINUX;
}

static bool is_used(const struct mbr_entry *entry)
{
    return entry->type != MBR_TYPE_EMPTY && entry->nr_sectors != 0;
}

static int add(const struct partition_disk *disk, struct partition_list *list, uint64_t base,
               const struct mbr_entry *entry, unsigned number)
{
    struct partition partition = {base + entry->first_sector, entry->nr_sectors, number};

    return partition_list_add(list, disk, &partition);
}

/* The record's own partition, and where the next record is: 0 at the end. */
static int read_record(const struct partition_disk *disk, struct partition_list *list, const struct mbr *record,
                       uint64_t sector, unsigned *number, uint32_t *next)
{
    *next = 0;
    for (unsigned i = 0; i < 2; i++) {
        const struct mbr_entry *entry = &record->entries[i];
        int error;

        if (!is_used(entry))
            continue;
        if (is_extended(entry)) {
            *next = entry->first_sector;
            continue;
        }
        error = add(disk, list, sector, entry, (*number)++);
        if (error < 0)
            return error;
    }
    return 0;
}

static int read_chain(const struct partition_disk *disk, void *buffer, struct partition_list *list, uint64_t first)
{
    unsigned number = FIRST_LOGICAL;
    uint64_t sector = first;
    uint32_t next;

    for (unsigned n = 0; n < CHAIN_MAX; n++) {
        const struct mbr *record = buffer;
        int error;

        if (sector >= disk->nr_sectors) {
            log_warn("%s: extended partitions go on at sector %lu, beyond the end", disk->name, sector);
            return 0;
        }
        error = disk->read(disk, sector, buffer, disk->sector_bytes);
        if (error < 0)
            return error;
        if (record->signature != MBR_SIGNATURE) {
            log_warn("%s: no extended boot record in sector %lu", disk->name, sector);
            return 0;
        }
        error = read_record(disk, list, record, sector, &number, &next);
        if (error < 0 || next == 0)
            return error;
        sector = first + next;
    }
    log_warn("%s: chain of extended partitions does not end after %u: ignored from there on", disk->name, CHAIN_MAX);
    return 0;
}

int partition_read_mbr(const struct partition_disk *disk, void *buffer, struct partition_list *list)
{
    struct mbr_entry entries[MBR_ENTRIES];
    int error = 0;

    memcpy(entries, ((const struct mbr *)buffer)->entries, sizeof(entries)); /* the chain is read into the buffer */
    for (unsigned i = 0; i < MBR_ENTRIES && error == 0; i++)
        if (is_used(&entries[i]) && !is_extended(&entries[i]))
            error = add(disk, list, 0, &entries[i], i + 1);
    for (unsigned i = 0; i < MBR_ENTRIES && error == 0; i++)
        if (is_used(&entries[i]) && is_extended(&entries[i]))
            return read_chain(disk, buffer, list, entries[i].first_sector); /* there is one at most */
    return error;
}
