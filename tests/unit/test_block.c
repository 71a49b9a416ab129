/* The block layer over a disk in memory: checks, parts, errors of single requests, waiting, partitions, references. */
#include "../kernel/ram_disk.h"
#include "support/plain_heap.h"
#include "support/random.h"
#include "support/unit.h"

#include <string.h>

#include <base/errno.h>
#include <hw/partition.h>
#include <mm/page_array.h>
#include <mm/paging.h>
#include <mm/physmap.h>

#define SECTORS 256u

#define WINDOW 16u

static char arena[64 * 4096] __attribute__((aligned(4096))); /* the machine's memory */
char *host_physmap = (char *)WINDOW;                         /* all memory of the host, the heap too */
struct page *host_page_array;
struct page_groups page_groups; /* none: nothing is known to be in the physmap */
static uint8_t content[SECTORS * 512];
static struct ram_disk disk;

#define SCATTERED 0x100000u /* where the pages of the arena appear in another order */
#define UNMAPPED  0x900000u

static struct block_segment piece(uint64_t offset, uint32_t length_bytes)
{
    return (struct block_segment){physmap_to_phys(arena + offset), length_bytes};
}

int paging_lookup(vaddr_t address, struct mapping *mapping)
{
    uint64_t page = address.value & ~(PAGE_SIZE - 1);

    *mapping = (struct mapping){.base = vaddr(page), .page_size = {PAGE_SIZE}};
    if (address.value >= SCATTERED && address.value < SCATTERED + 64 * PAGE_SIZE)
        mapping->physical = piece((page - SCATTERED) / PAGE_SIZE * 7 % 64 * PAGE_SIZE, 0).base;
    else if (address.value == UNMAPPED)
        return -ENOENT;
    else
        mapping->physical = paddr(page - WINDOW);
    return 0;
}

static int set_up(void **state)
{
    for (size_t i = 0; i < sizeof(content); i++)
        content[i] = (uint8_t)(i / 512 * 31 + i);
    memset(content, 0, 512);
    memset(arena, 0, sizeof(arena));
    ram_disk_init(&disk, "vda", content, SECTORS, 512);
    return 0;
}

static int tear_down(void **state)
{
    plain_heap_fail_after(-1);
    return plain_heap_in_use() == 0 && !block_device_at(0) && disk.nr_bad == 0 ? 0 : -1;
}

static void open_disk(void)
{
    assert_int_equal(block_device_register(&disk.device), 0);
    disk.nr_submitted = disk.nr_completed = 0; /* those that looked for partitions */
}

static void close_disk(void)
{
    block_device_unregister(&disk.device);
    assert_int_equal(disk.nr_released, 1);
}

static unsigned nr_done;

static void count_done(struct block_request *request)
{
    nr_done++;
}

/* Submits without waiting; the result of a request that does not reach the driver is there at once. */
static int refuse(struct block_request request)
{
    unsigned before = disk.nr_submitted;

    nr_done = 0;
    request.complete = count_done;
    block_submit(&disk.device, &request);
    assert_int_equal(nr_done, 1);
    assert_int_equal(disk.nr_submitted, before);
    return request.result;
}

static void test_checks(void **state)
{
    struct block_segment sector = piece(0, 512), half = piece(0, 256), none = piece(0, 0);
    struct block_segment half_and_none[] = {half, half, none};

#define REQUEST(op, at, list, nr) \
    ((struct block_request){.operation = op, .sector = at, .segments = list, .nr_segments = nr})
    open_disk();
    assert_int_equal(refuse(REQUEST(BLOCK_READ, 0, NULL, 0)), -EINVAL);
    assert_int_equal(refuse(REQUEST(BLOCK_READ, 0, &half, 1)), -EINVAL);
    assert_int_equal(refuse(REQUEST(BLOCK_READ, 0, half_and_none, 3)), -EINVAL);
    assert_int_equal(refuse(REQUEST(BLOCK_READ, SECTORS, &sector, 1)), -ERANGE);
    assert_int_equal(refuse(REQUEST(BLOCK_READ, UINT64_MAX, &sector, 1)), -ERANGE);
    assert_int_equal(refuse(REQUEST((enum block_operation)99, 0, &sector, 1)), -EINVAL);
    assert_int_equal(
        refuse((struct block_request){.operation = BLOCK_READ, .flags = 2, .segments = &sector, .nr_segments = 1}),
        -EINVAL);
    assert_int_equal(refuse((struct block_request){
                         .operation = BLOCK_READ, .flags = BLOCK_FUA, .segments = &sector, .nr_segments = 1}),
                     -EINVAL);
    assert_int_equal(refuse((struct block_request){.operation = BLOCK_DISCARD, .nr_sectors = 1}), -ENOTSUP);
    assert_int_equal(refuse((struct block_request){.operation = BLOCK_WRITE_ZEROES, .nr_sectors = 1}), -ENOTSUP);
    disk.device.limits.max_discard_sectors = 10;
    assert_int_equal(refuse((struct block_request){.operation = BLOCK_DISCARD, .sector = 1, .nr_sectors = UINT64_MAX}),
                     -ERANGE);
    assert_int_equal(refuse((struct block_request){.operation = BLOCK_DISCARD}), -EINVAL);
    assert_int_equal(refuse((struct block_request){.operation = BLOCK_FLUSH}), 0); /* write-through: nothing to do */
    disk.device.is_write_back = true;
    assert_int_equal(refuse((struct block_request){
                         .operation = BLOCK_WRITE, .flags = BLOCK_FUA, .segments = &sector, .nr_segments = 1}),
                     -ENOTSUP);
    disk.device.is_read_only = true;
    assert_int_equal(refuse(REQUEST(BLOCK_WRITE, 0, &sector, 1)), -EROFS);
    assert_int_equal(refuse((struct block_request){.operation = BLOCK_DISCARD, .nr_sectors = 1}), -EROFS);
    assert_int_equal(block_flush(&disk.device), 0);
    assert_int_equal(disk.nr_submitted, 1);
    close_disk();
    assert_int_equal(refuse(REQUEST(BLOCK_READ, 0, &sector, 1)), -ENODEV);
}

static void test_limits_of_register(void **state)
{
    disk.device.limits.logical_block_bytes = 1024;
    assert_int_equal(block_device_register(&disk.device), -EINVAL);
    disk.device.limits.logical_block_bytes = 512;
    disk.device.limits.max_segments = 2;
    disk.device.limits.max_segment_bytes = 255;
    assert_int_equal(block_device_register(&disk.device), -EINVAL);
    disk.device.limits.max_segment_bytes = 256;
    disk.device.nr_sectors = UINT64_MAX;
    assert_int_equal(block_device_register(&disk.device), -EINVAL);
    disk.device.nr_sectors = SECTORS;
    open_disk();
    assert_int_equal(block_device_register(&disk.device), -EEXIST);
    close_disk();
}

static void test_read_write(void **state)
{
    open_disk();
    assert_int_equal(block_read(&disk.device, 7, arena + 300, 3 * 512), 0);
    assert_memory_equal(arena + 300, content + 7 * 512, 3 * 512);
    assert_int_equal(block_write(&disk.device, 100, arena + 300, 512), 0);
    assert_memory_equal(content + 100 * 512, content + 7 * 512, 512);
    assert_int_equal(block_read(&disk.device, 255, arena, 1024), -ERANGE);
    assert_int_equal(block_read(&disk.device, 0, arena, 100), -EINVAL);
    assert_int_equal(block_read(&disk.device, 0, arena, 0), -EINVAL);
    close_disk();
}

/* Memory that is scattered page by page and begins within one: more pieces than a batch has. */
static void test_scattered_memory(void **state)
{
    uint64_t at = SCATTERED + 100, length = SECTORS * 512 - 512;

    open_disk();
    assert_int_equal(block_read(&disk.device, 1, (void *)at, length), 0);
    for (uint64_t i = 0; i < length; i++)
        assert_int_equal((uint8_t)arena[(100 + i) / 4096 * 7 % 64 * 4096 + (100 + i) % 4096], content[512 + i]);
    assert_int_equal(block_read(&disk.device, 1, (void *)(uintptr_t)UNMAPPED, 512), -EFAULT);
    close_disk();
}

static void test_parts_of_ranges(void **state)
{
    disk.device.limits.max_write_zeroes_sectors = 7;
    open_disk();
    assert_int_equal(block_write_zeroes(&disk.device, 10, 100), 0);
    assert_int_equal(disk.nr_submitted, 15);
    for (unsigned i = 0; i < 100 * 512; i++)
        assert_int_equal(content[10 * 512 + i], 0);
    assert_int_not_equal(content[110 * 512 + 1], 0);
    close_disk();
}

/* Any segments under any limits: the same bytes arrive, or it is refused because no sector fits. */
static void test_parts_at_random(void **state)
{
    uint64_t seed = 88172645463325252ull;

    for (unsigned round = 0; round < 2000; round++) {
        struct block_segment segments[40];
        struct block_request request = {.operation = BLOCK_READ, .sector = 3, .segments = segments};
        uint64_t nr_sectors = 1 + random_below(&seed, 30), left = nr_sectors * 512, at = 0;
        int result;

        set_up(NULL);
        disk.device.limits.max_segments = (uint32_t)random_below(&seed, 6);
        disk.device.limits.max_segment_bytes =
            (uint32_t)random_below(&seed, 3) * (200 + (uint32_t)random_below(&seed, 900));
        if (block_device_register(&disk.device) != 0)
            continue;
        while (left != 0) {
            uint64_t length = request.nr_segments == 39 ? left : 1 + random_below(&seed, left < 1500 ? left : 1500);

            segments[request.nr_segments++] = piece(at, (uint32_t)length);
            at += length + 5;
            left -= length;
        }
        result = block_execute(&disk.device, &request);
        assert_true(result == 0 || result == -EINVAL);
        at = 3 * 512;
        for (unsigned i = 0; i < request.nr_segments && result == 0; i++) {
            assert_memory_equal(phys_to_virt(segments[i].base), content + at, segments[i].length_bytes);
            at += segments[i].length_bytes;
        }
        assert_int_equal(disk.nr_bad, 0);
        assert_int_equal(disk.nr_submitted, disk.nr_completed);
        close_disk();
        assert_int_equal(plain_heap_in_use(), 0);
    }
}

static void test_error_of_a_part(void **state)
{
    struct block_segment segment = piece(0, 16 * 512);
    struct block_request request = {
        .operation = BLOCK_READ, .segments = &segment, .nr_segments = 1, .complete = count_done};

    disk.device.limits.max_segment_bytes = 2048;
    open_disk();
    for (unsigned reversed = 0; reversed < 2; reversed++) {
        for (disk.fail_at = 1; disk.fail_at <= 5; disk.fail_at++) {
            nr_done = disk.nr_submitted = disk.nr_completed = 0;
            disk.fail_with = -EIO;
            disk.device.limits.max_segments = 1;
            block_submit(&disk.device, &request);
            assert_int_equal(disk.nr_submitted, 4);
            assert_int_equal(nr_done, 0);
            reversed ? ram_disk_run_reversed(&disk) : ram_disk_run(&disk);
            assert_int_equal(nr_done, 1); /* once, after the last part */
            assert_int_equal(request.result, disk.fail_at <= 4 ? -EIO : 0);
        }
    }
    disk.fail_at = 2; /* completed while parts are still made: nothing behind the error is asked for */
    disk.completes_at_once = true;
    nr_done = disk.nr_submitted = disk.nr_completed = 0;
    block_submit(&disk.device, &request);
    assert_int_equal(disk.nr_submitted, 2);
    assert_int_equal(nr_done, 1);
    assert_int_equal(request.result, -EIO);
    close_disk();
}

static void test_each_request_its_own_error(void **state)
{
    struct block_segment segment = piece(0, 512);
    struct block_request requests[8];

    open_disk();
    disk.fail_at = 3;
    disk.fail_with = -EIO;
    nr_done = 0;
    for (unsigned i = 0; i < 8; i++) {
        requests[i] = (struct block_request){
            .operation = BLOCK_READ, .sector = i, .segments = &segment, .nr_segments = 1, .complete = count_done};
        block_submit(&disk.device, &requests[i]);
    }
    ram_disk_run(&disk);
    assert_int_equal(nr_done, 8);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(requests[i].result, i == 2 ? -EIO : 0);
    close_disk();
}

static void test_parts_without_memory(void **state)
{
    struct block_segment segment = piece(0, 16 * 512);
    struct block_request request = {.operation = BLOCK_READ, .segments = &segment, .nr_segments = 1};

    open_disk();
    disk.device.limits.max_segments = 1;
    disk.device.limits.max_segment_bytes = 2048;
    for (long n = 0; n < 5; n++) {
        plain_heap_fail_after(n);
        assert_int_equal(block_execute(&disk.device, &request), -ENOMEM);
        assert_int_equal(disk.nr_submitted, disk.nr_completed);
        plain_heap_fail_after(-1);
        assert_int_equal(plain_heap_in_use(), 0);
    }
    plain_heap_fail_after(5);
    assert_int_equal(block_execute(&disk.device, &request), 0);
    close_disk();
}

static void make_partitions(void)
{
    struct mbr *mbr = (struct mbr *)content;

    mbr->entries[0] = (struct mbr_entry){.type = 0x83, .first_sector = 10, .nr_sectors = 20};
    mbr->entries[1] = (struct mbr_entry){.type = 0x83, .first_sector = 100, .nr_sectors = SECTORS - 100};
    mbr->signature = MBR_SIGNATURE;
}

static void test_partitions(void **state)
{
    struct block_device *first, *second;

    make_partitions();
    open_disk();
    first = block_device_get("vda1");
    second = block_device_get("vda2");
    assert_non_null(first);
    assert_non_null(second);
    assert_null(block_device_get("vda3"));
    assert_int_equal(block_read(first, 3, arena, 1024), 0);
    assert_memory_equal(arena, content + 13 * 512, 1024);
    assert_int_equal(block_read(first, 19, arena, 1024), -ERANGE); /* the next partition's neighbour is not ours */
    disk.device.limits.max_segments = 1;
    disk.device.limits.max_segment_bytes = 512;
    assert_int_equal(block_read(second, 0, arena, 8192), 0);
    assert_memory_equal(arena, content + 100 * 512, 8192);
    block_device_resized(&disk.device, 120); /* the disk shrinks under it */
    assert_int_equal(block_read(second, 18, arena, 1024), 0);
    assert_int_equal(block_read(second, 19, arena, 1024), -ERANGE);
    block_device_resized(&disk.device, SECTORS);

    block_device_unregister(&disk.device);
    assert_null(block_device_get("vda"));
    assert_null(block_device_get("vda1"));
    assert_int_equal(disk.nr_released, 0); /* two partitions are still held, and the disk by them */
    assert_int_equal(block_read(second, 0, arena, 512), -ENODEV);
    block_device_put(first);
    assert_int_equal(disk.nr_released, 0);
    block_device_put(second);
    assert_int_equal(disk.nr_released, 1);
}

static void test_partitions_without_memory(void **state)
{
    make_partitions();
    for (long n = 0; n < 5; n++) {
        plain_heap_fail_after(n);
        disk.nr_released = 0;
        open_disk(); /* the disk works, some of its partitions may be missing */
        plain_heap_fail_after(-1);
        assert_int_equal(block_read(&disk.device, 3, arena, 512), 0);
        close_disk();
        assert_int_equal(plain_heap_in_use(), 0);
    }
}

static void test_names(void **state)
{
    struct ram_disk disks[28];
    char name[BLOCK_NAME_MAX] = "";

    memset(content, 0, 512);
    for (unsigned i = 0; i < 28; i++) {
        ram_disk_init(&disks[i], "", content, SECTORS, 512);
        block_device_choose_name(&disks[i].device, "vd");
        assert_int_equal(block_device_register(&disks[i].device), 0);
        memcpy(name, disks[i].device.name, sizeof(name));
    }
    assert_string_equal(disks[0].device.name, "vda");
    assert_string_equal(disks[25].device.name, "vdz");
    assert_string_equal(disks[26].device.name, "vdaa");
    assert_string_equal(name, "vdab");
    block_device_unregister(&disks[3].device);
    block_device_choose_name(&disk.device, "vd");
    assert_string_equal(disk.device.name, "vdd");
    for (unsigned i = 0; i < 28; i++)
        if (i != 3)
            block_device_unregister(&disks[i].device);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {TEST(test_checks),
                                       TEST(test_limits_of_register),
                                       TEST(test_read_write),
                                       TEST(test_scattered_memory),
                                       TEST(test_parts_of_ranges),
                                       TEST(test_parts_at_random),
                                       TEST(test_error_of_a_part),
                                       TEST(test_each_request_its_own_error),
                                       TEST(test_parts_without_memory),
                                       TEST(test_partitions),
                                       TEST(test_partitions_without_memory),
                                       TEST(test_names)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
