/* block list, read, write, id, bench */
#include <base/errno.h>
#include <cpu/tsc.h>
#include <debug/command.h>
#include <debug/console.h>
#include <dev/block.h>
#include <lib/parse.h>
#include <lib/string.h>
#include <mm/kmalloc.h>

#define READ_SECTORS_MAX 64u
#define BENCH_BYTES      (1u << 20) /* of one request, and of the memory it goes to */
#define BENCH_REQUESTS   64u
#define SMALL_BYTES      4096u

static void print_device(const struct block_device *device)
{
    uint64_t nr_sectors = __atomic_load_n(&device->nr_sectors, __ATOMIC_RELAXED);
    uint64_t mib = nr_sectors * device->limits.logical_block_bytes >> 20;

    console_printf("%-10s %12lu sectors of %4u bytes %8lu MiB%s%s", device->name, nr_sectors,
                   device->limits.logical_block_bytes, mib, device->is_read_only ? ", read-only" : "",
                   device->is_write_back ? ", write-back" : ", write-through");
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
static int write_sector(struct block_device *device, uint64_t sector, uint64_t byte)
{
    uint8_t *buffer;
    int error;

    if (byte > 0xff)
        return -ERANGE;
    buffer = kmalloc(device->limits.logical_block_bytes, ALLOC_NORMAL);
    if (!buffer)
        return -ENOMEM;
    memset(buffer, (int)byte, device->limits.logical_block_bytes);
    error = block_write(device, sector, buffer, device->limits.logical_block_bytes);
    if (error == 0)
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

/* Reads from the beginning of the device in requests of this size, one at a time, and says how fast. */
static int bench_size(struct block_device *device, uint8_t *buffer, uint32_t length_bytes)
{
    uint32_t sector_bytes = device->limits.logical_block_bytes;
    uint64_t nr_sectors = __atomic_load_n(&device->nr_sectors, __ATOMIC_RELAXED), per_request, start, took;
    unsigned nr = 0;

    per_request = length_bytes / sector_bytes;
    start = tsc_now_ns();
    for (; nr < BENCH_REQUESTS && (nr + 1) * per_request <= nr_sectors; nr++) {
        int error = block_read(device, nr * per_request, buffer, length_bytes);

        if (error < 0)
            return error;
    }
    took = tsc_now_ns() - start;
    if (nr == 0 || took == 0)
        console_printf("%7u bytes: the device is too small\n", length_bytes);
    else
        console_printf("%7u bytes: %u reads, %lu us each, %lu KiB/s\n", length_bytes, nr, took / nr / 1000,
                       (uint64_t)nr * length_bytes * 1000 / (took / 1000 + 1) * 1000 / 1024);
    return 0;
}

static int bench(struct block_device *device)
{
    uint8_t *buffer = kmalloc(BENCH_BYTES, ALLOC_NORMAL);
    int error;

    if (!buffer)
        return -ENOMEM;
    error = bench_size(device, buffer, SMALL_BYTES);
    if (error == 0)
        error = bench_size(device, buffer, BENCH_BYTES);
    kfree(buffer);
    return error;
}

static int run_on(struct block_device *device, const char *verb, int nr_numbers, const uint64_t *numbers)
{
    if (strcmp(verb, "read") == 0 && nr_numbers >= 1)
        return read_sectors(device, numbers[0], nr_numbers > 1 ? numbers[1] : 1);
    if (strcmp(verb, "write") == 0 && nr_numbers == 2)
        return write_sector(device, numbers[0], numbers[1]);
    if (strcmp(verb, "id") == 0 && nr_numbers == 0)
        return identify(device);
    if (strcmp(verb, "bench") == 0 && nr_numbers == 0)
        return bench(device);
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
    static const char *const verbs[] = {"bench", "id", "list", "read", "write"};

    return n < ARRAY_SIZE(verbs) ? verbs[n] : NULL;
}

COMMAND(block, .name = "block", .arguments = "[list | VERB NAME [SECTOR [N]]]",
        .summary = "block devices: list, read, write, id, bench", .run = run_block, .complete = complete_verb,
        .details =
            "`block read NAME SECTOR [COUNT]` shows sectors; `block write NAME SECTOR BYTE` fills one with a byte\n"
            "and flushes; `block id NAME` asks the device who it is; `block bench NAME` reads from its beginning.");
