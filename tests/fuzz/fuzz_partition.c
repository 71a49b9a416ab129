/* Any bytes as a disk with partition tables. The first byte chooses the sector size and whether the checksums of both
 * GPT copies are put right, so that what lies behind them is reached. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <base/errno.h>
#include <debug/log.h>
#include <hw/partition.h>
#include <lib/crc32.h>
#include <mm/kmalloc.h>

#include "partition.h"
#include "support.h"

#define READS_MAX 1100u /* both copies' arrays twice, 1 MiB each in pieces of a page, and a chain */

struct fuzzed_disk {
    struct partition_disk disk;
    uint8_t *bytes;
    unsigned nr_reads;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void *kmalloc(size_t size, unsigned flags)
{
    return flags & ALLOC_ZERO ? calloc(1, size) : malloc(size);
}

void kfree(void *object)
{
    free(object);
}

void log_write(enum log_level level, const char *format, ...)
{
    (void)level;
    (void)format;
}

static int read_fuzzed(const struct partition_disk *disk, uint64_t sector, void *to, size_t length_bytes)
{
    struct fuzzed_disk *fuzzed = (struct fuzzed_disk *)disk;

    REQUIRE(++fuzzed->nr_reads <= READS_MAX, "reads without end");
    REQUIRE(length_bytes != 0 && length_bytes % disk->sector_bytes == 0, "no whole sectors are read");
    REQUIRE(sector < disk->nr_sectors && length_bytes / disk->sector_bytes <= disk->nr_sectors - sector,
            "read beyond the disk");
    memcpy(to, fuzzed->bytes + sector * disk->sector_bytes, length_bytes);
    return 0;
}

static void seal(struct fuzzed_disk *fuzzed, uint64_t sector)
{
    uint32_t sector_bytes = fuzzed->disk.sector_bytes;
    struct gpt_header header;
    uint64_t length;

    if (sector >= fuzzed->disk.nr_sectors)
        return;
    memcpy(&header, fuzzed->bytes + sector * sector_bytes, sizeof(header));
    header.signature = GPT_SIGNATURE;
    header.my_sector = sector;
    header.header_crc32 = 0;
    length = (uint64_t)header.nr_entries * header.entry_size;
    if (header.entries_sector < fuzzed->disk.nr_sectors &&
        length <= (fuzzed->disk.nr_sectors - header.entries_sector) * sector_bytes)
        header.entries_crc32 = crc32_update(0, fuzzed->bytes + header.entries_sector * sector_bytes, length);
    memcpy(fuzzed->bytes + sector * sector_bytes, &header, sizeof(header));
    if (header.header_size > sector_bytes || header.header_size < sizeof(header))
        return;
    header.header_crc32 = crc32_update(0, fuzzed->bytes + sector * sector_bytes, header.header_size);
    memcpy(fuzzed->bytes + sector * sector_bytes, &header, sizeof(header));
}

static void check(const struct partition_disk *disk, const struct partition_list *list)
{
    uint64_t end = 0;

    for (size_t i = 0; i < list->count; i++) {
        const struct partition *partition = &list->entries[i];

        REQUIRE(partition->nr_sectors != 0 && partition->number != 0, "an empty partition");
        REQUIRE(partition->first_sector < disk->nr_sectors &&
                    partition->nr_sectors <= disk->nr_sectors - partition->first_sector,
                "a partition beyond the disk");
        REQUIRE(partition->first_sector >= end, "partitions overlap");
        end = partition->first_sector + partition->nr_sectors;
        for (size_t j = 0; j < i && i < 64; j++)
            REQUIRE(list->entries[j].number != partition->number, "one number twice");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzzed_disk fuzzed = {{"fuzz", 0, 512, read_fuzzed}, NULL, 0};
    struct partition_list list = {0};
    int error;

    if (size < 1)
        return 0;
    if (data[0] & 1)
        fuzzed.disk.sector_bytes = 4096;
    fuzzed.disk.nr_sectors = (size - 1) / fuzzed.disk.sector_bytes;
    fuzzed.bytes = malloc(size); /* one more than the disk at most: reads are checked above */
    memcpy(fuzzed.bytes, data + 1, size - 1);
    if (data[0] & 2) {
        seal(&fuzzed, 1);
        seal(&fuzzed, fuzzed.disk.nr_sectors - 1);
    }
    error = partition_scan(&fuzzed.disk, &list);
    REQUIRE(error == 0 || error == -EBADMSG, "an error nobody made: %d", error);
    check(&fuzzed.disk, &list);
    partition_list_free(&list);
    free(fuzzed.bytes);
    return 0;
}
