/* Drivers on the virtio bus against devices that lie, break, vanish or do not end a reset: each is reset, marked failed
 * and left alone; nobody waits; nothing leaks (the runner counts), not even where an allocation fails. */
#include <base/errno.h>
#include <cpu/interrupts.h>
#include <debug/log.h>
#include <debug/test.h>
#include <dev/random.h>
#include <hw/virtio.h>
#include <irq/chip.h>
#include <lib/string.h>
#include <mm/fail_inject.h>
#include <mm/page_alloc.h>
#include <mm/slab.h>
#include <pci/pci.h>
#include <time/clock.h>
#include <time/timer.h>
#include <virtio/queue.h>

#include "virtio_model.h"

#define PATIENCE_NS (2 * NS_PER_S) /* a hang detector */
#define LOOK_NS     (NS_PER_MS / 4)

static struct model model;

static bool is_settled(void)
{
    struct virtio_queue_figures queue;

    if (model.options.lie == MODEL_TRUTH || model.options.lie == MODEL_SCRIBBLES)
        return virtio_queue_look(&model.device, 0, &queue) && queue.nr_in_flight == 0;
    /* What a vanished device is told is lost. */
    return model.nr_resets >= 2 && (model.status & VIRTIO_STATUS_FAILED);
}

/* Adds the device to its driver and waits until what comes has come. */
static bool run_model(const struct model_options *options)
{
    uint64_t deadline;

    model_init(&model, options, VIRTIO_ID_ENTROPY);
    if (device_add(&model.device.device) != 0)
        return false;
    for (deadline = clock_now_ns() + PATIENCE_NS; !is_settled() && clock_now_ns() < deadline;)
        sleep_ns(LOOK_NS);
    return is_settled();
}

static void expect_failed(enum virtqueue_fault fault)
{
    struct virtio_queue_figures queue;

    EXPECT(virtio_queue_look(&model.device, 0, &queue));
    EXPECT_EQ(queue.fault, fault);
    EXPECT_EQ(queue.nr_in_flight, 0);
    EXPECT_EQ(model.nr_notified, 1);
    EXPECT_EQ(model.nr_resets, 2);
}

static enum virtqueue_fault fault_of(const struct model_options *options)
{
    static const enum virtqueue_fault split[MODEL_NR_LIES] = {
        [MODEL_UNKNOWN_ID] = VIRTQUEUE_BAD_ID,     [MODEL_IDLE_ID] = VIRTQUEUE_IDLE_ID,
        [MODEL_TWICE] = VIRTQUEUE_BAD_INDEX,       [MODEL_TOO_LONG] = VIRTQUEUE_BAD_LENGTH,
        [MODEL_INDEX_JUMPS] = VIRTQUEUE_BAD_INDEX, [MODEL_INDEX_BACK] = VIRTQUEUE_BAD_INDEX,
        [MODEL_NEEDS_RESET] = VIRTQUEUE_STOPPED,   [MODEL_VANISHES] = VIRTQUEUE_STOPPED,
    };
    bool is_index =
        options->lie == MODEL_TWICE || options->lie == MODEL_INDEX_JUMPS || options->lie == MODEL_INDEX_BACK;

    return options->is_packed && is_index ? VIRTQUEUE_IDLE_ID : split[options->lie];
}

static void lie_in_every_way(bool is_packed, bool has_interrupts)
{
    for (enum model_lie lie = MODEL_TRUTH; lie < MODEL_NR_LIES; lie++) {
        struct model_options options = {
            .lie = lie, .is_packed = is_packed, .has_interrupts = has_interrupts, .reset_takes = lie % 3};
        bool is_harmless = lie == MODEL_TRUTH || lie == MODEL_SCRIBBLES;
        bool is_in_time;

        /* Without an interrupt nothing tells the driver: it goes on waiting, at ever longer intervals. */
        if (!has_interrupts && (lie == MODEL_NEEDS_RESET || lie == MODEL_VANISHES))
            continue;
        is_in_time = run_model(&options);
        if (is_in_time && !is_harmless)
            expect_failed(fault_of(&options));
        device_remove(&model.device.device);
        EXPECT(is_in_time);
        EXPECT(model.is_released);
        EXPECT(!model.irq);
        EXPECT_EQ(model.nr_touched, 0);
    }
}

KERNEL_TEST(rng_lies_split, "virtio/an_entropy_device_that_lies_is_reset_and_marked_failed")
{
    if (irq_controller())
        lie_in_every_way(false, true);
}

KERNEL_TEST(rng_lies_packed, "virtio/the_same_with_a_packed_ring")
{
    if (irq_controller())
        lie_in_every_way(true, true);
}

KERNEL_TEST(rng_lies_polled, "virtio/the_same_without_an_interrupt")
{
    lie_in_every_way(false, false);
    lie_in_every_way(true, false);
}

KERNEL_TEST(rng_endless_reset, "virtio/a_device_that_does_not_end_its_reset_is_cut_off")
{
    const struct model_options options = {.lie = MODEL_TOO_LONG, .never_resets = true};
    bool is_in_time = run_model(&options);

    if (is_in_time)
        expect_failed(VIRTQUEUE_BAD_LENGTH);
    device_remove(&model.device.device);
    EXPECT(is_in_time);
    EXPECT(model.is_cut_off && model.is_released);
}

KERNEL_TEST(rng_refused_start, "virtio/a_device_that_breaks_at_the_start_has_no_driver")
{
    const struct model_options options = {.refuses_start = true, .has_interrupts = irq_controller() != NULL};
    struct virtio_queue_figures queue;
    bool has_queue;

    model_init(&model, &options, VIRTIO_ID_ENTROPY);
    EXPECT_EQ(device_add(&model.device.device), 0);
    has_queue = virtio_queue_look(&model.device, 0, &queue);
    device_remove(&model.device.device);
    EXPECT(!has_queue);
    EXPECT(model.status & VIRTIO_STATUS_FAILED);
    EXPECT_EQ(model.nr_notified, 0);
}

/* ---- the pool wants more ---- */

#define OUTPUT_BYTES ((2u << 20) + 4096) /* more than it gives between two times that it asks */

static bool is_asked_for_more(bool has_interrupts)
{
    const struct model_options options = {.has_interrupts = has_interrupts};
    unsigned nr_before;
    bool has_answered, is_asked = false, is_seeded = false;

    has_answered = run_model(&options);
    nr_before = model.nr_notified;
    for (size_t taken = 0; taken < OUTPUT_BYTES; taken += 512) {
        uint8_t bytes[512];

        is_seeded = random_bytes(bytes, sizeof(bytes)) == 0; /* by the model, soon if not at once */
    }
    for (uint64_t end = clock_now_ns() + PATIENCE_NS; !is_asked && clock_now_ns() < end;) {
        sleep_ns(LOOK_NS);
        is_asked = READ_ONCE(model.nr_notified) > nr_before && is_settled();
    }
    device_remove(&model.device.device);
    return has_answered && is_asked && is_seeded;
}

KERNEL_TEST(rng_asked, "virtio/the_random_pool_asks_for_more_by_itself")
{
    EXPECT(is_asked_for_more(irq_controller() != NULL));
    EXPECT(is_asked_for_more(false));
}

/* ---- allocations that fail ---- */

static uint64_t free_pages(void)
{
    slab_reap();
    return page_counts().free;
}

/* Runs take with the first, the second, ... allocation failing, until none is left to fail; give_back follows each that
 * succeeded. */
static void fail_each(int (*take)(void *context), void (*give_back)(void *context), void *context)
{
    uint64_t pages = free_pages(), objects = slab_counts().objects, nth = 0;
    bool has_failed = true;

    while (has_failed) {
        int error;

        fail_inject_arm(FAIL_ANY, ++nth);
        error = take(context);
        has_failed = fail_inject_disarm();
        if (error == 0)
            give_back(context);
        EXPECT(has_failed || error == 0);
        EXPECT_EQ(free_pages(), pages);
        EXPECT_EQ(slab_counts().objects, objects);
    }
    EXPECT(nth > 4);
}

static int add_model(void *context)
{
    const struct model_options options = {.has_interrupts = irq_controller() != NULL};

    (void)context;
    model_init(&model, &options, VIRTIO_ID_ENTROPY);
    return device_add(&model.device.device);
}

static void remove_model(void *context)
{
    (void)context;
    device_remove(&model.device.device);
}

KERNEL_TEST(rng_fail_each, "virtio/every_nth_allocation_of_a_probe_failing")
{
    fail_each(add_model, remove_model, NULL);
}

/* ---- rings ---- */

/* A queue of a device without a driver, with the nth page allocation failing. */
static void create_queue(struct virtio_queue *queue, uint16_t offered, uint64_t nth)
{
    const struct model_options options = {.queue_size = offered};
    int result;

    model_init(&model, &options, VIRTIO_ID_ENTROPY);
    EXPECT_EQ(virtio_negotiate(&model.device, 0, 0), 0);
    if (nth != 0)
        fail_inject_arm(FAIL_PAGE, nth);
    result = virtio_queue_create(queue, &model.device, 0, 1024, 66);
    EXPECT_EQ(fail_inject_disarm(), nth != 0);
    EXPECT_EQ(result, 0);
}

/* Ring, what is known of each chain, and tables are one large allocation each. */
KERNEL_TEST(virtio_less_memory, "virtio/a_large_queue_makes_do_with_less_memory")
{
    const struct {
        uint16_t offered, nth, size, nr_tables;
    } cases[] = {{1024, 0, 1024, 1024}, {32768, 0, 1024, 1024}, {1000, 0, 512, 512},
                 {1024, 1, 512, 512},   {1024, 2, 512, 512},    {1024, 3, 1024, 512}};

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct virtio_queue queue;
        struct virtqueue_config config;

        create_queue(&queue, cases[i].offered, cases[i].nth);
        config = queue.ring.config;
        virtio_queue_destroy(&queue);
        EXPECT_EQ(config.size, cases[i].size);
        EXPECT_EQ(config.nr_tables, cases[i].nr_tables);
        EXPECT_EQ(model.place.size, cases[i].size);
        EXPECT_EQ(model.place.descriptors.value % PAGE_SIZE, 0);
    }
}

static int probe_again(void *context)
{
    struct device *function = context;

    return function->driver->probe(function);
}

static void remove_again(void *context)
{
    struct device *function = context;

    function->driver->remove(function);
}

struct own_devices {
    unsigned nr;
    int error; /* of the probe that is to succeed in the end */
};

static bool fail_each_of(struct device *device, void *context)
{
    struct own_devices *own = context;

    if (strcmp(device_driver_name(device), "virtio-pci") != 0)
        return true;
    remove_again(device);
    fail_each(probe_again, remove_again, device);
    own->error = probe_again(device);
    own->nr++;
    return own->error == 0;
}

/* The machine's own: transport and driver. A function without an interrupt for want of memory is polled. */
KERNEL_TEST(pci_fail_each, "virtio/every_nth_allocation_failing_over_pci")
{
    struct own_devices own = {0};

    device_for_each(fail_each_of, &own);
    EXPECT_EQ(own.error, 0);
    log_info("virtio: %u functions probed with every allocation failing", own.nr);
}

/* ---- gone ---- */

static bool tell_that_it_is_gone(struct device *device, void *parent)
{
    if (device->parent == parent && device->driver && device->driver->gone && device->driver_data) {
        uint64_t flags = irq_save();

        device->driver->gone(device);
        irq_restore(flags);
    }
    return true;
}

static bool tell_and_remove(struct device *device, void *context)
{
    struct own_devices *own = context;

    if (strcmp(device_driver_name(device), "virtio-pci") != 0)
        return true;
    device_for_each(tell_that_it_is_gone, device);
    remove_again(device);
    own->error = probe_again(device);
    return own->error == 0;
}

/* As for a device that is found to be missing by whoever walks the bus: the work this starts is not run by the way out
 * of an interrupt, and remove comes next. */
KERNEL_TEST(pci_gone, "virtio/a_driver_told_from_a_thread_that_its_device_is_gone")
{
    struct own_devices own = {0};

    device_for_each(tell_and_remove, &own);
    EXPECT_EQ(own.error, 0);
}
