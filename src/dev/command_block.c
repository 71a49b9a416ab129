/* block list, and verbs on one device */
#include <base/errno.h>
#include <debug/command.h>
#include <debug/console.h>
#include <dev/block_load.h>
#include <lib/parse.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <mm/physmap.h>

#include "block_internal.h"

#define READ_SECTORS_MAX 64u

static void print_device(const struct block_device *device)
{
    uint64_t nr_sectors = __atomic_load_n(&device->nr_sectors, __ATOMIC_RELAXED);
    const struct block_device *disk = device->whole ? device->whole : device; /* its cache is the partitions' too */
    uint64_t mib = nr_sectors * device->limits.logical_block_bytes >> 20;

    console_printf("%-10s %12lu sectors of %4u bytes %8lu MiB%s%s", device->name, nr_sectors,
                   device->limits.logical_block_bytes, mib, device->is_read_only ? ", read-only" : "",
                   disk->is_write_back ? ", write-back" : ", write-through");
    if (device->whole)
        console_printf(", from %lu of %s", device->first_sector, device->whole->name);
    console_printf("\n");
}

static int list(void)
{
    struct block_device *device;
    unsigned n = 0;

    while ((device = block_device_at(n)) != NULL) {
        print_device(device);
        block_device_put(device);
        n++;
    }
    if (n == 0)
        console_printf("there is no block device\n");
    return 0;
}

static void print_line(uint64_t offset, const uint8_t *bytes)
{
    char text[17];

    console_printf("%08lx ", offset);
    for (unsigned i = 0; i < 16; i++) {
        console_printf(" %02x", bytes[i]);
        text[i] = (char)(bytes[i] >= ' ' && bytes[i] < 0x7f ? bytes[i] : '.');
    }
    text[16] = '\0';
    console_printf("  %s\n", text);
}

static int read_sectors(struct block_device *device, uint64_t sector, uint64_t count)
{
    uint32_t sector_bytes = device->limits.logical_block_bytes;
    uint8_t *buffer;
    int error = 0;

    if (count == 0 || count > READ_SECTORS_MAX)
        return -ERANGE;
    buffer = kmalloc(sector_bytes, ALLOC_NORMAL);
    if (!buffer)
        return -ENOMEM;
    for (uint64_t n = 0; n < count && error == 0; n++) {
        error = block_read(device, sector + n, buffer, sector_bytes);
        for (uint32_t at = 0; at < sector_bytes && error == 0; at += 16)
            print_line(n * sector_bytes + at, buffer + at);
    }
    kfree(buffer);
    return error;
}

/* Fills one sector with a byte, and has it on stable storage when it returns. */
static int write_sector(struct block_device *device, uint64_t sector, uint64_t byte, unsigned flags)
{
    uint32_t sector_bytes = device->limits.logical_block_bytes;
    uint8_t *buffer;
    struct block_segment segment = {.length_bytes = sector_bytes};
    struct block_request request = {
        .operation = BLOCK_WRITE, .flags = flags, .sector = sector, .segments = &segment, .nr_segments = 1};
    int error;

    if (byte > 0xff)
        return -ERANGE;
    buffer = kmalloc(sector_bytes, ALLOC_NORMAL);
    if (!buffer)
        return -ENOMEM;
    memset(buffer, (int)byte, sector_bytes);
    segment.base = physmap_to_phys(buffer);
    error = block_execute(device, &request);
    if (error == 0 && !(flags & BLOCK_FUA))
        error = block_flush(device);
    kfree(buffer);
    return error;
}

static int identify(struct block_device *device)
{
    char id[32];
    int error = device->operations->identify ? device->operations->identify(device, id, sizeof(id)) : -ENOTSUP;

    if (error == 0)
        console_printf("%s\n", id);
    return error;
}

static int show_or_set_cache(struct block_device *device, int nr_numbers, const uint64_t *numbers)
{
    const struct block_device *disk = device->whole ? device->whole : device;
    int error = 0;

    if (nr_numbers == 1)
        error = numbers[0] > 1 ? -ERANGE : block_set_write_back(device, numbers[0] != 0);
    if (error == 0)
        console_printf("%s: %s\n", disk->name, disk->is_write_back ? "write-back" : "write-through");
    return error;
}

/* ---- verbs ---- */

static int verb_bench(struct block_device *device, int nr_numbers, const uint64_t *numbers)
{
    if (nr_numbers == 1 && (numbers[0] == 0 || numbers[0] > BLOCK_LOAD_DEPTH_MAX))
        return -ERANGE;
    return block_bench(device, nr_numbers == 1 ? (unsigned)numbers[0] : 1);
}

static int verb_discard(struct block_device *device, int nr_numbers, const uint64_t *numbers)
{
    (void)nr_numbers;
    return block_discard(device, numbers[0], numbers[1]);
}

static int verb_flush(struct block_device *device, int nr_numbers, const uint64_t *numbers)
{
    (void)nr_numbers, (void)numbers;
    return block_flush(device);
}

static int verb_fua(struct block_device *device, int nr_numbers, const uint64_t *numbers)
{
    (void)nr_numbers;
    return write_sector(device, numbers[0], numbers[1], BLOCK_FUA);
}

static int verb_id(struct block_device *device, int nr_numbers, const uint64_t *numbers)
{
    (void)nr_numbers, (void)numbers;
    return identify(device);
}

static int verb_read(struct block_device *device, int nr_numbers, const uint64_t *numbers)
{
    return read_sectors(device, numbers[0], nr_numbers > 1 ? numbers[1] : 1);
}

static int verb_write(struct block_device *device, int nr_numbers, const uint64_t *numbers)
{
    (void)nr_numbers;
    return write_sector(device, numbers[0], numbers[1], 0);
}

static int verb_zero(struct block_device *device, int nr_numbers, const uint64_t *numbers)
{
    (void)nr_numbers;
    return block_write_zeroes(device, numbers[0], numbers[1]);
}

static const struct verb {
    const char *name;
    int least, most; /* numbers behind the device's name */
    int (*run)(struct block_device *device, int nr_numbers, const uint64_t *numbers);
} verbs[] = {
    {"bench", 0, 1, verb_bench},     {"cache", 0, 1, show_or_set_cache},
    {"discard", 2, 2, verb_discard}, {"flush", 0, 0, verb_flush},
    {"fua", 2, 2, verb_fua},         {"id", 0, 0, verb_id},
    {"read", 1, 2, verb_read},       {"write", 2, 2, verb_write},
    {"zero", 2, 2, verb_zero},
};

static int run_on(struct block_device *device, const char *name, int nr_numbers, const uint64_t *numbers)
{
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (strcmp(name, verbs[i].name) == 0 && nr_numbers >= verbs[i].least && nr_numbers <= verbs[i].most)
            return verbs[i].run(device, nr_numbers, numbers);
    return -EINVAL;
}

static int run_block(int argc, char **argv)
{
    struct block_device *device;
    uint64_t numbers[2];
    int error = 0;

    if (argc == 1 || (argc == 2 && strcmp(argv[1], "list") == 0))
        return list();
    if (argc < 3)
        return -EINVAL;
    if (argc > 5)
        return -E2BIG;
    for (int i = 3; i < argc && error == 0; i++)
        error = parse_u64(argv[i], &numbers[i - 3]);
    if (error < 0)
        return error;
    device = block_device_get(argv[2]);
    if (!device)
        return -ENODEV;
    error = run_on(device, argv[1], argc - 3, numbers);
    block_device_put(device);
    return error;
}

static const char *complete_verb(unsigned n)
{
    return n == 0 ? "list" : n <= ARRAY_SIZE(verbs) ? verbs[n - 1].name : NULL;
}

COMMAND(block, .name = "block", .arguments = "[list | VERB NAME [SECTOR [N]]]",
        .summary = "block devices: list, read, write, and more", .run = run_block, .complete = complete_verb,
        .details =
            "`block read NAME SECTOR [COUNT]` shows sectors; `block write NAME SECTOR BYTE` fills one with a byte\n"
            "and flushes, `block fua` has that write itself reach stable storage; `block discard NAME SECTOR COUNT`\n"
            "and `block zero NAME SECTOR COUNT`; `block flush NAME`; `block cache NAME [0|1]` shows or sets\n"
            "write-through (0) or write-back (1); `block id NAME` asks the device who it is; `block bench NAME\n"
            "[DEPTH]` reads, DEPTH requests at a time, and says how fast.");
