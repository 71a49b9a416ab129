/* Which partition table a disk has, and the list of what is in it. */
#include "partition.h"

#include <base/errno.h>
#include <debug/log.h>
#include <hw/partition.h>
#include <lib/string.h>
#include <mm/kmalloc.h>

#define FIRST_CAPACITY 16u

static int grow(struct partition_list *list)
{
    size_t capacity = list->capacity ? 2 * list->capacity : FIRST_CAPACITY;
    struct partition *entries = kmalloc(capacity * sizeof(*entries), ALLOC_NORMAL);

    if (!entries)
        return -ENOMEM;
    if (list->count != 0)
        memcpy(entries, list->entries, list->count * sizeof(*entries));
    kfree(list->entries);
    list->entries = entries;
    list->capacity = capacity;
    return 0;
}

static void refuse(struct partition_list *list, const struct partition_disk *disk, const struct partition *partition,
                   const char *why)
{
    if (list->nr_refused++ == 0)
        log_warn("%s: partition %u (%lu sectors from %lu) %s: ignored", disk->name, partition->number,
                 partition->nr_sectors, partition->first_sector, why);
}

/* The index of the first entry that begins behind the sector. */
static size_t find_place(const struct partition_list *list, uint64_t sector)
{
    size_t low = 0, high = list->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (list->entries[middle].first_sector <= sector)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_free(const struct partition_list *list, size_t place, const struct partition *partition)
{
    const struct partition *before = place > 0 ? &list->entries[place - 1] : NULL;
    const struct partition *after = place < list->count ? &list->entries[place] : NULL;

    return (!before || before->first_sector + before->nr_sectors <= partition->first_sector) &&
           (!after || partition->first_sector + partition->nr_sectors <= after->first_sector);
}

int partition_list_add(struct partition_list *list, const struct partition_disk *disk,
                       const struct partition *partition)
{
    size_t place = find_place(list, partition->first_sector);

    if (partition->nr_sectors == 0 || partition->first_sector >= disk->nr_sectors ||
        partition->nr_sectors > disk->nr_sectors - partition->first_sector) {
        refuse(list, disk, partition, "does not lie within the disk");
        return 0;
    }
    if (!is_free(list, place, partition)) {
        refuse(list, disk, partition, "overlaps another");
        return 0;
    }
    if (list->count == list->capacity && grow(list) < 0)
        return -ENOMEM;
    memmove(&list->entries[place + 1], &list->entries[place], (list->count - place) * sizeof(list->entries[0]));
    list->entries[place] = *partition;
    list->count++;
    return 0;
}

void partition_list_free(struct partition_list *list)
{
    kfree(list->entries);
    *list = (struct partition_list){0};
}

static bool is_mbr(const struct mbr *mbr)
{
    for (unsigned i = 0; i < MBR_ENTRIES; i++)
        if (mbr->entries[i].status != 0 && mbr->entries[i].status != MBR_ACTIVE)
            return false; /* a boot sector of a file system has its own code here */
    return mbr->signature == MBR_SIGNATURE;
}

static bool is_protective(const struct mbr *mbr)
{
    for (unsigned i = 0; i < MBR_ENTRIES; i++)
        if (mbr->entries[i].type == MBR_TYPE_GPT)
            return true;
    return false;
}

/* UEFI 2.10 5.2.3 wants a protective MBR: a disk that was given another table since may have kept this one. */
static void tell_of_unprotected_gpt(const struct partition_disk *disk, void *buffer)
{
    const struct gpt_header *header = buffer;

    if (disk->nr_sectors > 1 && disk->read(disk, 1, buffer, disk->sector_bytes) == 0 &&
        header->signature == GPT_SIGNATURE)
        log_warn("%s: there is a GPT, but no MBR says so: it is not used", disk->name);
}

/* The sector 0 in the buffer decides which table counts. A hybrid MBR has real partitions beside the protective one:
 * they are the GPT's under other numbers, and the GPT is what counts. */
static int read_tables(const struct partition_disk *disk, void *buffer, struct partition_list *list)
{
    int error = 0;

    if (is_mbr(buffer) && is_protective(buffer))
        return partition_read_gpt(disk, buffer, list);
    if (is_mbr(buffer))
        error = partition_read_mbr(disk, buffer, list);
    if (error == 0)
        tell_of_unprotected_gpt(disk, buffer);
    return error;
}

int partition_scan(const struct partition_disk *disk, struct partition_list *list)
{
    void *buffer;
    int error = 0;

    if (disk->nr_sectors == 0)
        return 0;
    buffer = kmalloc(PARTITION_SECTOR_MAX, ALLOC_NORMAL);
    if (!buffer)
        return -ENOMEM;
    error = disk->read(disk, 0, buffer, disk->sector_bytes);
    if (error == 0)
        error = read_tables(disk, buffer, list);
    kfree(buffer);
    if (list->nr_refused > 1)
        log_warn("%s: %u partitions ignored in all", disk->name, list->nr_refused);
    return error;
}
