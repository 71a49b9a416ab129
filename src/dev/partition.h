/* Partition tables, read through a seam: no block device in it, so that host tests and fuzzers drive it with bytes. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

#define PARTITION_SECTOR_MAX 4096u /* sectors have 512 or 4096 bytes */

struct partition_disk {
    const char *name; /* for log lines */
    uint64_t nr_sectors;
    uint32_t sector_bytes;
    /* Reads whole sectors within the disk. Returns 0 or an error. */
    int (*read)(const struct partition_disk *disk, uint64_t sector, void *to, size_t length_bytes);
};

struct partition {
    uint64_t first_sector, nr_sectors;
    unsigned number; /* from 1, as tables count; logical ones from 5 */
};

/* Sorted by first_sector, without overlaps, each within the disk. Zero-initialised; partition_list_free ends it. */
struct partition_list {
    struct partition *entries;
    size_t count, capacity;
    unsigned nr_refused; /* entries that do not fit the disk or lie on another */
};

/* Reads the disk's GPT, from the backup where the first copy is broken, or else its MBR. A disk without a table has an
 * empty list, and so has one whose GPT no MBR protects. Returns 0, the error of a read, -ENOMEM, or -EBADMSG for a GPT
 * of which neither copy is valid; the list is then as far as it came. Context: thread. */
MUST_CHECK int partition_scan(const struct partition_disk *disk, struct partition_list *list);
void partition_list_free(struct partition_list *list);

/* Adds one, or refuses it, with a log line for the first refused of a disk. Returns 0 in both cases, or -ENOMEM. */
MUST_CHECK int partition_list_add(struct partition_list *list, const struct partition_disk *disk,
                                  const struct partition *partition);

/* The two formats. buffer has room for PARTITION_SECTOR_MAX bytes; for partition_read_mbr sector 0 is in it. */
MUST_CHECK int partition_read_mbr(const struct partition_disk *disk, void *buffer, struct partition_list *list);
MUST_CHECK int partition_read_gpt(const struct partition_disk *disk, void *buffer, struct partition_list *list);
