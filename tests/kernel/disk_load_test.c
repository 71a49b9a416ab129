/* The disk load itself, on a disk in memory: it ends, and it notices what goes wrong. */
#include <base/errno.h>
#include <debug/test.h>
#include <mm/kmalloc.h>
#include <sync/spinlock.h>
#include <time/clock.h>
#include <time/timer.h>

#include "disk_load.h"
#include "ram_disk.h"

#define REQUESTS 3000u
#define DISK_NS  (50 * NS_PER_US) /* from the first request to the end of all that came meanwhile */

static const struct disk_load_options options = {.nr_requests = REQUESTS, .depth = 2};

static struct ram_disk disk;
static struct timer timer;
static struct spinlock guard = SPINLOCK_INITIALIZER("kicks of a disk in memory");
static bool is_kicked; /* [guard] the timer is set */
static struct block_operations operations;
static void (*submit_unguarded)(struct block_device *device, struct block_request *request);
static unsigned nr_kicks, damage_at; /* [guard] 0 for never */

static void complete_all(struct timer *fired)
{
    uint64_t flags = spinlock_lock_irqsave(&guard);

    (void)fired;
    is_kicked = false;
    spinlock_unlock_irqrestore(&guard, flags);
    ram_disk_run(&disk);
}

static void kick(struct ram_disk *kicked)
{
    if (++nr_kicks == damage_at) /* one bit of each sector */
        for (uint64_t i = 0; i < kicked->device.nr_sectors; i++)
            kicked->bytes[i * 512 + i % 512] ^= 0x10;
    if (!is_kicked)
        timer_set(&timer, clock_now_ns() + DISK_NS);
    is_kicked = true;
}

/* The disk in memory counts and kicks as if nobody else submitted: here interrupts and other CPUs do. */
static void submit(struct block_device *device, struct block_request *request)
{
    uint64_t flags = spinlock_lock_irqsave(&guard);

    submit_unguarded(device, request);
    spinlock_unlock_irqrestore(&guard, flags);
}

static int run_load(struct disk_load_result *result)
{
    struct disk_load *load;
    int error = disk_load_create(&disk.device, &options, &load);

    if (error < 0)
        return error;
    disk_load_run(load, &disk.device, result);
    disk_load_free(load);
    return 0;
}

/* A load on a disk of which one request fails, or whose sectors change. */
static int load_disk(unsigned fail_at, unsigned damaged_at, struct disk_load_result *result)
{
    size_t size = disk_load_sectors(&options) * 512;
    uint8_t *bytes = kmalloc(size, ALLOC_ZERO);
    int error;

    if (!bytes)
        return -ENOMEM;
    ram_disk_init(&disk, "load", bytes, size / 512, 512);
    ram_disk_use_interrupt(&disk, kick);
    operations = *disk.device.operations;
    submit_unguarded = operations.submit;
    operations.submit = submit;
    disk.device.operations = &operations;
    disk.device.is_write_back = true;
    disk.fail_at = fail_at;
    disk.fail_with = -EIO;
    damage_at = damaged_at;
    nr_kicks = 0;
    timer_init(&timer, complete_all);
    error = run_load(result);
    timer_cancel(&timer);
    kfree(bytes);
    return error;
}

KERNEL_TEST(disk_load, "block/a_load_from_every_context")
{
    struct disk_load_result result;

    EXPECT_EQ(load_disk(0, 0, &result), 0);
    EXPECT_EQ(result.nr_completed, REQUESTS);
    EXPECT_EQ(disk.nr_submitted, REQUESTS);
    EXPECT_EQ(result.nr_failed + result.nr_twice + result.nr_wrong + result.nr_unexpected, 0);
    EXPECT(result.nr_sectors_compared > REQUESTS);
    for (unsigned i = 0; i < LOAD_NR_CONTEXTS; i++)
        EXPECT(result.nr_by[i] > REQUESTS / 10);
}

KERNEL_TEST(disk_load_notices, "block/a_load_notices_errors_and_damage")
{
    struct disk_load_result result;

    EXPECT_EQ(load_disk(REQUESTS / 2, 0, &result), 0);
    EXPECT_EQ(result.nr_unexpected, 1);
    EXPECT_EQ(result.nr_wrong + result.nr_twice, 0);
    EXPECT_EQ(load_disk(0, REQUESTS / 2, &result), 0);
    EXPECT(result.nr_wrong > 10);
    EXPECT_EQ(result.nr_unexpected + result.nr_twice, 0);
}
