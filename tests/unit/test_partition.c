/* Partition tables: good ones, and ones that lie. Every test frees what it got, or the heap's count says so. */
#include "support/partition_builder.h"
#include "support/plain_heap.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/dev/partition.h"
#include <base/errno.h>
#include <debug/log.h>

#define SECTORS 2048u

static struct built_disk disk;
static struct partition_list list;
static unsigned nr_reads;
static uint64_t broken_sector;

static int read_bytes(const struct partition_disk *seam, uint64_t sector, void *to, size_t length_bytes)
{
    nr_reads++;
    assert_int_equal(length_bytes % seam->sector_bytes, 0);
    assert_true(length_bytes <= PARTITION_SECTOR_MAX);
    assert_true(sector < seam->nr_sectors && length_bytes / seam->sector_bytes <= seam->nr_sectors - sector);
    if (sector == broken_sector)
        return -EIO;
    memcpy(to, built_sector(&disk, sector), length_bytes);
    return 0;
}

static char said[2000];

void log_write(enum log_level level, const char *format, ...)
{
    size_t at = strlen(said);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(said + at, sizeof(said) - at, format, arguments);
    va_end(arguments);
}

static int scan(void)
{
    struct partition_disk seam = {"vda", disk.nr_sectors, disk.sector_bytes, read_bytes};

    return partition_scan(&seam, &list);
}

static void set_up_size(uint32_t sector_bytes)
{
    disk = (struct built_disk){calloc(SECTORS, sector_bytes), SECTORS, sector_bytes};
    broken_sector = UINT64_MAX;
    nr_reads = 0;
    said[0] = '\0';
}

static int set_up(void **state)
{
    set_up_size(512);
    return 0;
}

static int tear_down(void **state)
{
    partition_list_free(&list);
    free(disk.bytes);
    return plain_heap_in_use() == 0 ? 0 : -1;
}

static void assert_partition(size_t i, unsigned number, uint64_t first, uint64_t nr_sectors)
{
    assert_true(i < list.count);
    assert_int_equal(list.entries[i].number, number);
    assert_int_equal(list.entries[i].first_sector, first);
    assert_int_equal(list.entries[i].nr_sectors, nr_sectors);
}

static void test_no_table(void **state)
{
    assert_int_equal(scan(), 0);
    assert_int_equal(list.count, 0);
    memset(disk.bytes, 0xf6, 512); /* a boot sector: signature, but code where the entries are */
    build_record_entry(&disk, 0, 0, 0x83, 10, 10);
    disk.bytes[510] = 0x55;
    disk.bytes[511] = 0xaa;
    assert_int_equal(scan(), 0);
    assert_int_equal(list.count, 0);
}

static void test_mbr(void **state)
{
    build_record(&disk, 0);
    build_record_entry(&disk, 0, 0, 0x83, 500, 100);
    build_record_entry(&disk, 0, 2, 0x0c, 63, 100);
    build_record_entry(&disk, 0, 3, 0x83, 0, 0); /* no sectors: unused */
    assert_int_equal(scan(), 0);
    assert_int_equal(list.count, 2);
    assert_partition(0, 3, 63, 100); /* in the order of the disk, numbered as the table has them */
    assert_partition(1, 1, 500, 100);
}

static void test_mbr_hostile(void **state)
{
    build_record(&disk, 0);
    build_record_entry(&disk, 0, 0, 0x83, 100, SECTORS - 99); /* one too many */
    build_record_entry(&disk, 0, 1, 0x83, 0xffffffff, 0xffffffff);
    build_record_entry(&disk, 0, 2, 0x83, 100, SECTORS - 100);
    build_record_entry(&disk, 0, 3, 0x83, SECTORS - 1, 1); /* overlaps */
    assert_int_equal(scan(), 0);
    assert_int_equal(list.count, 1);
    assert_partition(0, 3, 100, SECTORS - 100);
    assert_int_equal(list.nr_refused, 3);
}

static void test_chain(void **state)
{
    build_record(&disk, 0);
    build_record_entry(&disk, 0, 0, 0x83, 10, 10);
    build_record_entry(&disk, 0, 1, MBR_TYPE_EXTENDED_LBA, 100, 900);
    for (unsigned i = 0; i < 3; i++) {
        build_record(&disk, 100 + 50 * i);
        build_record_entry(&disk, 100 + 50 * i, 0, 0x83, 1, 20);
        if (i < 2)
            build_record_entry(&disk, 100 + 50 * i, 1, MBR_TYPE_EXTENDED_CHS, 50 * (i + 1), 50);
    }
    assert_int_equal(scan(), 0);
    assert_int_equal(list.count, 4);
    assert_partition(0, 1, 10, 10);
    assert_partition(1, 5, 101, 20);
    assert_partition(3, 7, 201, 20);
}

/* To itself, around two records, out of the disk, to a sector that is no record: each ends, with what came before. */
static void test_chain_that_loops(void **state)
{
    build_record(&disk, 0);
    build_record_entry(&disk, 0, 0, MBR_TYPE_EXTENDED_LBA, 100, 900);
    build_record(&disk, 100);
    build_record(&disk, 150);
    build_record_entry(&disk, 100, 1, MBR_TYPE_EXTENDED_LBA, 50, 50); /* no logical partition to overlap */
    build_record_entry(&disk, 150, 0, 0x83, 1, 20);
    build_record_entry(&disk, 150, 1, MBR_TYPE_EXTENDED_LBA, 50, 50);
    assert_int_equal(scan(), 0);
    assert_int_equal(list.count, 1);
    assert_true(nr_reads < 300);

    build_record_entry(&disk, 150, 1, MBR_TYPE_EXTENDED_LBA, 0xffffffff, 50);
    partition_list_free(&list);
    assert_int_equal(scan(), 0);
    assert_int_equal(list.count, 1);

    build_record_entry(&disk, 150, 1, MBR_TYPE_EXTENDED_LBA, 300, 50);
    partition_list_free(&list);
    assert_int_equal(scan(), 0);
    assert_int_equal(list.count, 1);
}

static void check_gpt(uint32_t sector_bytes, uint32_t nr_entries, uint32_t entry_size)
{
    free(disk.bytes);
    partition_list_free(&list);
    set_up_size(sector_bytes);
    build_gpt(&disk, nr_entries, entry_size);
    build_gpt_entry(&disk, 0, 1000, 1099);
    build_gpt_entry(&disk, nr_entries - 1, 500, 500);
    assert_int_equal(scan(), 0);
    assert_int_equal(list.count, 2);
    assert_partition(0, nr_entries, 500, 1);
    assert_partition(1, 1, 1000, 100);
}

static void test_gpt(void **state)
{
    check_gpt(512, 128, 128);
    check_gpt(4096, 128, 128);
    check_gpt(512, 4, 4096);
    check_gpt(4096, 33, 512); /* the array ends within a sector */
    check_gpt(512, 3, 128);
}

static struct gpt_header *header_of(uint64_t sector)
{
    return built_sector(&disk, sector);
}

/* What is done to the first copy: its header's fields, sealed again. Then the backup has to serve. */
static void break_signature(void)
{
    header_of(1)->signature++;
}

static void break_my_sector(void)
{
    header_of(1)->my_sector++;
}

static void break_header_size(void)
{
    header_of(1)->header_size = 513;
}

static void break_small_header(void)
{
    header_of(1)->header_size = 91;
}

static void break_usable(void)
{
    header_of(1)->last_usable_sector = SECTORS;
}

static void break_usable_order(void)
{
    header_of(1)->first_usable_sector = header_of(1)->last_usable_sector + 1;
}

static void break_entry_size(void)
{
    header_of(1)->entry_size = 192;
}

static void break_small_entry(void)
{
    header_of(1)->entry_size = 64;
}

static void break_zero_entry(void)
{
    header_of(1)->entry_size = 0;
}

static void break_huge_entry(void)
{
    header_of(1)->entry_size = 0x80000000;
}

static void break_count(void)
{
    header_of(1)->nr_entries = 0xffffffff;
}

static void break_no_entries(void)
{
    header_of(1)->nr_entries = 0;
}

static void break_array_place(void)
{
    header_of(1)->entries_sector = UINT64_MAX;
}

static void break_array_end(void)
{
    header_of(1)->entries_sector = SECTORS - 1;
}

static void break_array_in_usable(void)
{
    header_of(1)->entries_sector = 500;
}

static void break_array_on_header(void)
{
    header_of(1)->entries_sector = 1;
}

static void test_gpt_backup(void **state)
{
    static void (*const breaks[])(void) = {
        break_signature,  break_my_sector,       break_header_size,  break_small_header,
        break_usable,     break_entry_size,      break_small_entry,  break_zero_entry,
        break_huge_entry, break_count,           break_no_entries,   break_array_place,
        break_array_end,  break_array_in_usable, break_usable_order, break_array_on_header};

    for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
        memset(disk.bytes, 0, (size_t)SECTORS * 512);
        build_gpt(&disk, 128, 128);
        build_gpt_entry(&disk, 0, 1000, 1099);
        breaks[i]();
        build_gpt_seal(&disk, 1);
        header_of(SECTORS - 1)->reserved = 0; /* the backup stays as it was */
        nr_reads = 0;
        assert_int_equal(scan(), 0);
        assert_int_equal(list.count, 1);
        assert_int_equal(nr_reads, 1 + 1 + 1 + 2 * 4); /* MBR, both headers, the backup's array twice */
        partition_list_free(&list);
    }
}

/* Told of and not used: without an MBR, with a file system's boot sector, with an MBR that does not protect it. */
static void test_gpt_without_protective_mbr(void **state)
{
    build_gpt(&disk, 128, 128);
    build_gpt_entry(&disk, 0, 1000, 1099);
    memset(disk.bytes, 0, 512);
    assert_int_equal(scan(), 0);
    assert_int_equal(list.count, 0);
    assert_non_null(strstr(said, "vda: there is a GPT, but no MBR says so: it is not used"));
    said[0] = '\0';
    build_record(&disk, 0);
    build_record_entry(&disk, 0, 0, 0x83, 63, 100);
    assert_int_equal(scan(), 0);
    assert_int_equal(list.count, 1);
    assert_partition(0, 1, 63, 100);
    assert_non_null(strstr(said, "no MBR says so"));
    said[0] = '\0';
    partition_list_free(&list);
    broken_sector = 1; /* read for the message alone */
    assert_int_equal(scan(), 0);
    assert_int_equal(list.count, 1);
    assert_string_equal(said, "");
}

/* Real partitions beside the protective one, wherever that stands: the GPT counts. */
static void test_hybrid_mbr(void **state)
{
    for (unsigned i = 0; i < MBR_ENTRIES; i++) {
        build_gpt(&disk, 128, 128);
        build_gpt_entry(&disk, 2, 1000, 1099);
        build_gpt_entry(&disk, 4, 200, 299);
        build_record(&disk, 0);
        build_record_entry(&disk, 0, i, MBR_TYPE_GPT, 1, 33);
        build_record_entry(&disk, 0, (i + 1) % MBR_ENTRIES, 0x83, 1000, 100);
        build_record_entry(&disk, 0, (i + 2) % MBR_ENTRIES, MBR_TYPE_EXTENDED_LBA, 1500, 100);
        assert_int_equal(scan(), 0);
        assert_int_equal(list.count, 2);
        assert_partition(0, 5, 200, 100);
        assert_partition(1, 3, 1000, 100);
        partition_list_free(&list);
    }
    assert_string_equal(said, "");
}

/* Sectors are logical blocks: nothing is 512 bytes but the record. */
static void test_mbr_of_4096_byte_sectors(void **state)
{
    free(disk.bytes);
    set_up_size(4096);
    build_record(&disk, 0);
    build_record_entry(&disk, 0, 0, 0x83, 10, 10);
    build_record_entry(&disk, 0, 1, MBR_TYPE_EXTENDED_LBA, 100, 900);
    build_record(&disk, 100);
    build_record_entry(&disk, 100, 0, 0x83, 1, 20);
    build_record_entry(&disk, 100, 1, MBR_TYPE_EXTENDED_CHS, 50, 50);
    build_record(&disk, 150);
    build_record_entry(&disk, 150, 0, 0x83, 2, 30);
    assert_int_equal(scan(), 0);
    assert_int_equal(list.count, 3);
    assert_partition(0, 1, 10, 10);
    assert_partition(1, 5, 101, 20);
    assert_partition(2, 6, 152, 30);
}

static void test_gpt_checksums(void **state)
{
    build_gpt(&disk, 128, 128);
    build_gpt_entry(&disk, 0, 1000, 1099);
    header_of(1)->disk_guid[3] ^= 1;
    assert_int_equal(scan(), 0);
    assert_int_equal(list.count, 1);
    partition_list_free(&list);
    build_gpt_seal(&disk, 1);
    ((uint8_t *)built_sector(&disk, 2))[200] ^= 1; /* an entry of the first copy */
    assert_int_equal(scan(), 0);
    assert_int_equal(list.count, 1);
    partition_list_free(&list);
    ((uint8_t *)built_sector(&disk, SECTORS - 2))[200] ^= 1;
    assert_int_equal(scan(), -EBADMSG);
    assert_int_equal(list.count, 0);
}

static void test_gpt_read_errors(void **state)
{
    build_gpt(&disk, 128, 128);
    build_gpt_entry(&disk, 0, 1000, 1099);
    broken_sector = 1;
    assert_int_equal(scan(), 0);
    assert_int_equal(list.count, 1);
    partition_list_free(&list);
    broken_sector = 10; /* in the array of the first copy */
    assert_int_equal(scan(), 0);
    assert_int_equal(list.count, 1);
    partition_list_free(&list);
    broken_sector = 0;
    assert_int_equal(scan(), -EIO);
}

static void test_gpt_entries(void **state)
{
    build_gpt(&disk, 128, 128);
    build_gpt_entry(&disk, 0, 1000, 1099);
    build_gpt_entry(&disk, 1, 1099, 1200); /* shares a sector */
    build_gpt_entry(&disk, 2, 900, 1000);
    build_gpt_entry(&disk, 3, 900, 1200);  /* around */
    build_gpt_entry(&disk, 4, 1010, 1020); /* within */
    build_gpt_entry(&disk, 5, 1300, 1299);
    build_gpt_entry(&disk, 6, 33, 40); /* the array's last sector */
    build_gpt_entry(&disk, 7, 1500, UINT64_MAX);
    build_gpt_entry(&disk, 8, 0, UINT64_MAX);
    build_gpt_entry(&disk, 9, 1100, 1200);
    build_gpt_entry(&disk, 10, 34, 999);
    assert_int_equal(scan(), 0);
    assert_int_equal(list.count, 3);
    assert_partition(0, 11, 34, 966);
    assert_partition(1, 1, 1000, 100);
    assert_partition(2, 10, 1100, 101);
    assert_int_equal(list.nr_refused, 8);
}

static void test_tiny_disks(void **state)
{
    build_record(&disk, 0);
    build_record_entry(&disk, 0, 0, MBR_TYPE_GPT, 1, 1);
    for (disk.nr_sectors = 0; disk.nr_sectors < 8; disk.nr_sectors++) {
        int error = scan();

        assert_true(error == (disk.nr_sectors == 0 ? 0 : -EBADMSG));
        assert_int_equal(list.count, 0);
    }
}

static void test_out_of_memory(void **state)
{
    int error = -ENOMEM;

    build_gpt(&disk, 128, 128);
    for (unsigned i = 0; i < 60; i++)
        build_gpt_entry(&disk, i, 100 + i, 100 + i);
    for (long n = 0; error != 0; n++) {
        partition_list_free(&list);
        plain_heap_fail_after(n);
        error = scan();
        assert_true(error == 0 || error == -ENOMEM);
        assert_true(n < 10);
    }
    plain_heap_fail_after(-1);
    assert_int_equal(list.count, 60);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {TEST(test_no_table),
                                       TEST(test_mbr),
                                       TEST(test_mbr_hostile),
                                       TEST(test_chain),
                                       TEST(test_chain_that_loops),
                                       TEST(test_gpt),
                                       TEST(test_gpt_backup),
                                       TEST(test_gpt_checksums),
                                       TEST(test_gpt_read_errors),
                                       TEST(test_gpt_entries),
                                       TEST(test_tiny_disks),
                                       TEST(test_out_of_memory),
                                       TEST(test_gpt_without_protective_mbr),
                                       TEST(test_hybrid_mbr),
                                       TEST(test_mbr_of_4096_byte_sectors)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
