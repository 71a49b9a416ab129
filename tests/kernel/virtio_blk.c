/* The driver of block devices against one that lies, in its ring, its status bytes and its configuration, with the ring
 * full and requests waiting for room: each request ends once, with an error; nobody waits; nothing leaks (the runner
 * counts). */
#include <base/errno.h>
#include <debug/test.h>
#include <dev/block.h>
#include <hw/virtio.h>
#include <hw/virtio_blk.h>
#include <irq/chip.h>
#include <lib/string.h>
#include <mm/fail_inject.h>
#include <mm/kmalloc.h>
#include <mm/physmap.h>
#include <time/clock.h>
#include <time/timer.h>
#include <virtio/queue.h>

#include "fail_each.h"
#include "virtio_model.h"

#define PATIENCE_NS (2 * NS_PER_S) /* a hang detector */
#define LOOK_NS     (NS_PER_MS / 4)
#define REQUESTS    20u /* a ring of 8 full, and twelve that wait */
#define SECTOR      512u
#define ALL_FEATURES                                                                             \
    (VIRTIO_BLK_F_SIZE_MAX | VIRTIO_BLK_F_SEG_MAX | VIRTIO_BLK_F_BLK_SIZE | VIRTIO_BLK_F_FLUSH | \
     VIRTIO_BLK_F_TOPOLOGY | VIRTIO_BLK_F_CONFIG_WCE | VIRTIO_BLK_F_MQ | VIRTIO_BLK_F_DISCARD |  \
     VIRTIO_BLK_F_WRITE_ZEROES)

static const struct virtio_blk_config plain_config = {.capacity = 1024,
                                                      .size_max = 65536,
                                                      .seg_max = 4,
                                                      .blk_size = SECTOR,
                                                      .writeback = 1,
                                                      .num_queues = 1,
                                                      .max_discard_sectors = 64,
                                                      .max_discard_seg = 1,
                                                      .max_write_zeroes_sectors = 64,
                                                      .max_write_zeroes_seg = 1};

struct
try {
    struct block_request request;
    struct block_segment segments[2];
    uint8_t *memory;
    unsigned nr_completed; /* [a] */
};

static struct model model;
static struct try tries[REQUESTS];
static struct block_device *disk;

/* ---- requests ---- */

static void complete(struct block_request *request)
{
    struct try *try = request->context;

    __atomic_fetch_add(&try->nr_completed, 1, __ATOMIC_RELEASE); /* pairs with all_completed */
}

static bool all_completed(void)
{
    for (unsigned i = 0; i < REQUESTS; i++)
        if (__atomic_load_n(&tries[i].nr_completed, __ATOMIC_ACQUIRE) == 0)
            return false;
    return true;
}

static void submit_all(void)
{
    static const enum block_operation operations[] = {BLOCK_READ, BLOCK_WRITE,        BLOCK_FLUSH,
                                                      BLOCK_READ, BLOCK_WRITE_ZEROES, BLOCK_DISCARD};

    for (unsigned i = 0; i < REQUESTS; i++) {
        struct try *try = &tries[i];
        paddr_t base = physmap_to_phys(try->memory);

        memset(try->memory, 0, 2 * SECTOR);
        try->nr_completed = 0;
        try->segments[0] = (struct block_segment){base, SECTOR / 2};
        try->segments[1] = (struct block_segment){paddr_add(base, SECTOR / 2), SECTOR + SECTOR / 2};
        try->request = (struct block_request){.operation = operations[i % ARRAY_SIZE(operations)],
                                              .sector = i,
                                              .nr_sectors = 2,
                                              .segments = try->segments,
                                              .nr_segments = 2,
                                              .complete = complete,
                                              .context = try,
                                              .result = 1};
        block_submit(disk, &try->request);
    }
}

static bool wait_for_all(void)
{
    uint64_t deadline = clock_now_ns() + PATIENCE_NS;

    while (!all_completed() && clock_now_ns() < deadline) {
        if (disk->operations->poll)
            disk->operations->poll(disk);
        else
            sleep_ns(LOOK_NS);
    }
    return all_completed();
}

/* ---- the device ---- */

static bool take_memory(void)
{
    bool has_all = true;

    for (unsigned i = 0; i < REQUESTS; i++) {
        tries[i].memory = kmalloc(2 * SECTOR, ALLOC_NORMAL);
        has_all &= tries[i].memory != NULL;
    }
    return has_all;
}

static void give_memory_back(void)
{
    for (unsigned i = 0; i < REQUESTS; i++)
        kfree(tries[i].memory);
}

static struct block_device *newest_disk(unsigned nr_before)
{
    return block_device_at(nr_before);
}

static unsigned nr_disks(void)
{
    struct block_device *device;
    unsigned nr = 0;

    while ((device = block_device_at(nr)) != NULL) {
        block_device_put(device);
        nr++;
    }
    return nr;
}

/* Its partition table is read truthfully. */
static bool add_disk(const struct model_options *options)
{
    unsigned nr_before = nr_disks();

    model_init(&model, options, VIRTIO_ID_BLOCK);
    if (device_add(&model.device.device) != 0)
        return false;
    disk = newest_disk(nr_before);
    return disk != NULL;
}

static void remove_disk(void)
{
    if (disk)
        block_device_put(disk);
    disk = NULL;
    device_remove(&model.device.device);
}

static struct model_options options_of(bool is_packed, bool has_interrupts)
{
    return (struct model_options){.is_packed = is_packed,
                                  .has_interrupts = has_interrupts,
                                  .features = ALL_FEATURES,
                                  .config = &plain_config,
                                  .config_bytes = sizeof(plain_config),
                                  .has_status = true};
}

/* ---- lies ---- */

struct outcome {
    unsigned nr_good, nr_failed, nr_other, nr_twice;
    int next_result; /* of a request afterwards */
    bool is_in_time, is_failed;
};

static void count(struct outcome *outcome)
{
    for (unsigned i = 0; i < REQUESTS; i++) {
        int result = tries[i].request.result;

        outcome->nr_good += result == 0;
        outcome->nr_failed += result == -EIO;
        outcome->nr_other += result != 0 && result != -EIO;
        outcome->nr_twice += tries[i].nr_completed > 1;
    }
}

/* The device keeps all requests to itself, and then answers with its lie. */
static struct outcome lie(const struct model_options *options, enum model_lie how, uint8_t status)
{
    struct outcome outcome = {0};

    if (add_disk(options)) {
        model.options.lie = how;
        model.options.status = status;
        model.options.is_held = true;
        submit_all();
        model.options.is_held = false;
        model_answer(&model);
        outcome.is_in_time = wait_for_all();
        outcome.is_failed = model.status & VIRTIO_STATUS_FAILED;
        count(&outcome);
        if (outcome.is_failed)
            outcome.next_result = block_flush(disk);
    }
    remove_disk();
    return outcome;
}

static void lie_in_every_way(bool is_packed, bool has_interrupts)
{
    struct model_options options = options_of(is_packed, has_interrupts);

    for (enum model_lie how = MODEL_TRUTH; how < MODEL_NR_LIES; how++) {
        bool is_harmless = how == MODEL_TRUTH || how == MODEL_SCRIBBLES;
        struct outcome outcome;

        /* Without an interrupt only the watch tells the driver, after half a minute. */
        if (!has_interrupts && (how == MODEL_NEEDS_RESET || how == MODEL_VANISHES))
            continue;
        options.reset_takes = how % 3;
        outcome = lie(&options, how, VIRTIO_BLK_S_OK);
        EXPECT(outcome.is_in_time);
        EXPECT_EQ(outcome.nr_twice + outcome.nr_other, 0);
        EXPECT_EQ(outcome.is_failed, !is_harmless);
        /* The first answer is true when it is given twice, and when another's id is given to it. */
        EXPECT(outcome.nr_good == (is_harmless ? REQUESTS : 0) ||
               (outcome.nr_good == 1 && (how == MODEL_TWICE || how == MODEL_IDLE_ID || is_packed)));
        EXPECT_EQ(outcome.next_result, is_harmless ? 0 : -EIO);
        EXPECT(model.is_released && !model.irq);
        EXPECT_EQ(model.nr_touched, 0);
    }
}

static void with_memory(void (*test)(bool is_packed, bool has_interrupts), bool is_packed, bool has_interrupts)
{
    if (take_memory())
        test(is_packed, has_interrupts);
    give_memory_back();
}

KERNEL_TEST(blk_lies_split, "virtio/a_disk_that_lies_ends_its_requests_with_errors")
{
    if (irq_controller())
        with_memory(lie_in_every_way, false, true);
}

KERNEL_TEST(blk_lies_packed, "virtio/a_disk_that_lies_with_a_packed_ring")
{
    if (irq_controller())
        with_memory(lie_in_every_way, true, true);
}

KERNEL_TEST(blk_lies_polled, "virtio/a_disk_that_lies_without_an_interrupt")
{
    with_memory(lie_in_every_way, false, false);
    with_memory(lie_in_every_way, true, false);
}

/* Any byte where a status should be. */
static void end_with_every_status(bool is_packed, bool has_interrupts)
{
    struct model_options options = options_of(is_packed, has_interrupts);

    for (unsigned status = 1; status <= UINT8_MAX; status += status < 4 ? 1 : 63) {
        struct outcome outcome = lie(&options, MODEL_TRUTH, (uint8_t)status);

        EXPECT(outcome.is_in_time);
        EXPECT(!outcome.is_failed);
        EXPECT_EQ(outcome.nr_good + outcome.nr_twice, 0);
        if (status == VIRTIO_BLK_S_UNSUPP)
            EXPECT_EQ(outcome.nr_other, REQUESTS); /* -ENOTSUP */
        else
            EXPECT_EQ(outcome.nr_failed, REQUESTS);
    }
}

KERNEL_TEST(blk_status, "virtio/a_disk_ends_requests_with_any_status")
{
    with_memory(end_with_every_status, false, irq_controller() != NULL);
    with_memory(end_with_every_status, true, false);
}

/* ---- configurations ---- */

/* It is refused, or works as far as it can. */
static void try_config(const struct virtio_blk_config *config, size_t config_bytes, bool is_restless)
{
    struct model_options options = options_of(false, irq_controller() != NULL);
    bool is_done = true;

    options.config = config;
    options.config_bytes = config_bytes;
    options.is_config_restless = is_restless;
    if (add_disk(&options)) {
        submit_all();
        is_done = wait_for_all();
    }
    remove_disk();
    EXPECT(is_done);
    EXPECT(model.is_released && !model.irq);
    EXPECT_EQ(model.nr_touched, 0);
}

static void try_every_config(bool is_packed, bool has_interrupts)
{
    static const uint8_t bytes[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    struct virtio_blk_config config;
    uint64_t random = 0x2545f4914f6cdd1dull;

    (void)is_packed;
    (void)has_interrupts;
    for (size_t length = 0; length < sizeof(config); length += 7)
        try_config(&plain_config, length, false);
    try_config(&plain_config, sizeof(plain_config), true);
    for (size_t at = 0; at < sizeof(config); at += 4) { /* each field full of each of these */
        for (unsigned i = 0; i < ARRAY_SIZE(bytes); i++) {
            config = plain_config;
            memset((uint8_t *)&config + at, bytes[i], 4);
            try_config(&config, sizeof(config), false);
        }
    }
    for (unsigned i = 0; i < 50; i++) {
        for (size_t at = 0; at < sizeof(config); at++) {
            random = random * 6364136223846793005ull + 1442695040888963407ull;
            ((uint8_t *)&config)[at] = random >> 62 ? (uint8_t)(random >> 33) : 0;
        }
        config.blk_size = i & 1 ? 4096 : SECTOR; /* else it is refused at once */
        try_config(&config, sizeof(config), false);
    }
}

KERNEL_TEST(blk_configs, "virtio/a_disk_has_any_configuration")
{
    with_memory(try_every_config, false, true);
}

/* ---- allocations that fail ---- */

/* A probe without memory leaves a device without a driver, and no disk. */
static int take_disk(void *context)
{
    return add_disk(context) ? 0 : -ENOMEM;
}

static void give_disk_back(void *context)
{
    (void)context;
    remove_disk();
}

static int probe_disk(void *context)
{
    int error = take_disk(context);

    if (error != 0)
        remove_disk();
    return error;
}

KERNEL_TEST(blk_fail_probe, "fail_inject/a_virtio_disk_is_probed")
{
    for (unsigned is_packed = 0; is_packed < 2; is_packed++) {
        struct model_options options = options_of(is_packed != 0, irq_controller() != NULL);

        fail_each(&(struct fail_steps){.take = probe_disk, .give_back = give_disk_back, .context = &options}, 8);
    }
}

/* The ring is full, tables for indirect descriptors are in use, and the others wait for room. */
static void submit_without_memory(bool is_packed, bool has_interrupts)
{
    struct model_options options = options_of(is_packed, has_interrupts);
    bool has_allocated = false, is_in_time = false;
    unsigned nr_good = 0;

    if (add_disk(&options)) {
        fail_inject_arm(FAIL_ANY, 1);
        model.options.is_held = true;
        submit_all();
        model.options.is_held = false;
        model_answer(&model);
        is_in_time = wait_for_all();
        has_allocated = fail_inject_disarm();
        for (unsigned i = 0; i < REQUESTS; i++)
            nr_good += tries[i].request.result == 0;
    }
    remove_disk();
    EXPECT(is_in_time && !has_allocated);
    EXPECT_EQ(nr_good, REQUESTS);
}

KERNEL_TEST(blk_fail_submit, "fail_inject/submitting_to_a_virtio_disk_allocates_nothing")
{
    with_memory(submit_without_memory, false, irq_controller() != NULL);
    with_memory(submit_without_memory, true, irq_controller() != NULL);
    with_memory(submit_without_memory, false, false);
}
