/* Disks that the host has prepared for this: reads what it wrote, by one request, by many at once; writes what it will
 * read. Sector 0 says that a disk is one, and the salt of its contents; tests/scenarios/virtio_matrix.py makes them. */
#include <debug/log.h>
#include <debug/test.h>
#include <dev/block.h>
#include <dev/work.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <mm/physmap.h>
#include <mm/vmalloc.h>

#define SECTOR_BYTES 512u
#define NR_AT_ONCE   24u
#define WRITTEN_SALT 0x5au /* added to the salt of what the kernel writes */

struct disk_header {
    char magic[16];
    uint32_t salt, nr_sectors; /* the first half is the host's, the second the kernel's */
};

static const char magic[16] = "keel test disk";

static uint8_t byte_at(uint64_t sector, unsigned i, uint32_t salt)
{
    return (uint8_t)(sector * 7 + i * 3 + (i >> 8) + salt * 11);
}

static void fill(uint8_t *bytes, uint64_t sector, unsigned nr_sectors, uint32_t salt)
{
    for (unsigned n = 0; n < nr_sectors; n++)
        for (unsigned i = 0; i < SECTOR_BYTES; i++)
            bytes[n * SECTOR_BYTES + i] = byte_at(sector + n, i, salt);
}

static bool is_right(const uint8_t *bytes, uint64_t sector, unsigned nr_sectors, uint32_t salt)
{
    for (unsigned n = 0; n < nr_sectors; n++)
        for (unsigned i = 0; i < SECTOR_BYTES; i++)
            if (bytes[n * SECTOR_BYTES + i] != byte_at(sector + n, i, salt))
                return false;
    return true;
}

/* ---- many at once ---- */

struct batch {
    struct block_device *device;
    uint32_t nr_sectors, salt;
    unsigned nr_done, nr_wrong; /* [a] */
    struct block_request requests[NR_AT_ONCE];
    struct block_segment segments[NR_AT_ONCE];
    uint8_t bytes[NR_AT_ONCE][SECTOR_BYTES];
};

/* Sectors of the host's half but the first, in no order. */
static uint64_t sector_of(const struct batch *batch, unsigned i)
{
    return 1 + i * 5 % (batch->nr_sectors / 2 - 1);
}

static void one_done(struct block_request *request)
{
    struct batch *batch = request->context;
    unsigned i = (unsigned)(request - batch->requests);

    if (request->result != 0 || !is_right(batch->bytes[i], sector_of(batch, i), 1, batch->salt))
        __atomic_fetch_add(&batch->nr_wrong, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&batch->nr_done, 1, __ATOMIC_RELEASE); /* pairs with all_done */
}

static bool all_done(const void *context)
{
    return __atomic_load_n(&((const struct batch *)context)->nr_done, __ATOMIC_ACQUIRE) == NR_AT_ONCE;
}

static bool read_at_once(struct block_device *device, const struct disk_header *header)
{
    struct batch *batch = kmalloc(sizeof(*batch), ALLOC_ZERO);
    bool is_good;

    if (batch == NULL)
        return false;
    batch->device = device;
    batch->nr_sectors = header->nr_sectors;
    batch->salt = header->salt;
    for (unsigned i = 0; i < NR_AT_ONCE; i++) {
        batch->segments[i] = (struct block_segment){physmap_to_phys(batch->bytes[i]), SECTOR_BYTES};
        batch->requests[i] = (struct block_request){.operation = BLOCK_READ,
                                                    .sector = sector_of(batch, i),
                                                    .segments = &batch->segments[i],
                                                    .nr_segments = 1,
                                                    .complete = one_done,
                                                    .context = batch};
        block_submit(device, &batch->requests[i]);
    }
    while (!all_done(batch))
        if (device->operations->poll)
            device->operations->poll(device);
        else
            work_wait(all_done, batch);
    is_good = batch->nr_wrong == 0;
    kfree(batch);
    return is_good;
}

/* ---- one disk ---- */

/* Scattered pages: a request of as many segments as the device takes. */
static bool read_host_half(struct block_device *device, const struct disk_header *header)
{
    unsigned nr = header->nr_sectors / 2 - 1;
    uint8_t *bytes = vmalloc((size_t)nr * SECTOR_BYTES, ALLOC_ZERO);
    bool is_good =
        bytes && block_read(device, 1, bytes, (size_t)nr * SECTOR_BYTES) == 0 && is_right(bytes, 1, nr, header->salt);

    vfree(bytes);
    return is_good;
}

static bool write_kernel_half(struct block_device *device, const struct disk_header *header)
{
    unsigned nr = header->nr_sectors / 2;
    size_t length = (size_t)nr * SECTOR_BYTES;
    uint8_t *bytes = vmalloc(length, ALLOC_ZERO);
    bool is_good = bytes != NULL;

    if (is_good) {
        fill(bytes, nr, nr, header->salt + WRITTEN_SALT);
        is_good = block_write(device, nr, bytes, length) == 0 && block_flush(device) == 0;
        memset(bytes, 0, length);
        is_good = is_good && block_read(device, nr, bytes, length) == 0 &&
                  is_right(bytes, nr, nr, header->salt + WRITTEN_SALT);
    }
    vfree(bytes);
    return is_good;
}

static bool is_test_disk(struct block_device *device, struct disk_header *header)
{
    uint8_t sector[SECTOR_BYTES];

    if (device->whole || device->limits.logical_block_bytes != SECTOR_BYTES ||
        block_read(device, 0, sector, sizeof(sector)) != 0)
        return false;
    memcpy(header, sector, sizeof(*header));
    return memcmp(header->magic, magic, sizeof(magic)) == 0 && header->nr_sectors >= 4 &&
           header->nr_sectors <= device->nr_sectors;
}

static void check_disk(struct block_device *device)
{
    struct disk_header header;

    if (!is_test_disk(device, &header))
        return;
    EXPECT(read_host_half(device, &header));
    EXPECT(read_at_once(device, &header));
    if (!device->is_read_only)
        EXPECT(write_kernel_half(device, &header));
    log_info("%s: test disk %u: read%s", device->name, header.salt, device->is_read_only ? "" : ", written and read");
}

KERNEL_TEST(test_disks, "disk/what_the_host_wrote_is_read_and_what_is_written_stays")
{
    struct block_device *device;

    for (unsigned n = 0; (device = block_device_at(n)) != NULL; n++) {
        check_disk(device);
        block_device_put(device);
    }
}
