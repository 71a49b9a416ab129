/* The virtio status protocol against a model of a device that keeps count of every step, and refuses, hangs, breaks or
 * goes away. */
#include "support/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cpu/preempt.h>
#include <debug/log.h>
#include <hw/virtio.h>
#include <time/timer.h>
#include <virtio/device.h>

#define STEPS_MAX 16

struct model {
    struct virtio_device device;
    uint64_t offers, accepts; /* FEATURES_OK stays only when all that was written is accepted */
    uint64_t written;
    uint8_t status;
    uint8_t steps[STEPS_MAX]; /* every status written */
    unsigned nr_steps, nr_reset_waits, reset_takes, nr_generations, config_changes;
    unsigned nr_slept;
    bool is_gone, never_resets, is_cut_off;
    unsigned status_at_features; /* the status when features were written */
};

static struct model model;
static char last_message[256];

void log_write(enum log_level level, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(last_message, sizeof(last_message), format, arguments);
    va_end(arguments);
}

static uint8_t read_status(struct virtio_device *device)
{
    return model.is_gone ? 0xff : model.status;
}

static void write_status(struct virtio_device *device, uint8_t status)
{
    assert_true(model.nr_steps < STEPS_MAX);
    model.steps[model.nr_steps++] = status;
    if (model.is_gone)
        return;
    if (status == 0) {
        model.status = model.reset_takes || model.never_resets ? model.status | 0x80 : 0;
        return;
    }
    assert_int_equal(model.status & ~status, 0); /* 2.1.1: a driver clears no bit */
    if ((status & VIRTIO_STATUS_FEATURES_OK) && (model.written & ~model.accepts))
        status &= (uint8_t)~VIRTIO_STATUS_FEATURES_OK;
    model.status = status;
}

static uint64_t read_features(struct virtio_device *device)
{
    assert_true(model.status & VIRTIO_STATUS_DRIVER || model.is_gone);
    return model.is_gone ? UINT64_MAX : model.offers;
}

static void write_features(struct virtio_device *device, uint64_t features)
{
    assert_int_equal(features & ~model.offers, 0); /* 2.2.1: only what is offered */
    assert_int_equal(model.status, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
    model.written = features;
}

void sleep_ns(uint64_t delay_ns)
{
    assert_int_equal(delay_ns, 1000000);
    model.nr_slept++;
}

static bool wait_for_reset(struct virtio_device *device)
{
    model.nr_reset_waits++;
    if (model.never_resets)
        return model.nr_reset_waits < 5;
    if (model.nr_reset_waits == model.reset_takes)
        model.status = 0;
    return true;
}

static void cut_off(struct virtio_device *device)
{
    assert_false(model.is_cut_off);
    model.is_cut_off = true;
}

static bool read_config(struct virtio_device *device, unsigned offset, void *to, size_t length)
{
    if (offset + length > 8)
        return false;
    memset(to, (int)model.nr_generations, length);
    if (model.config_changes > 0) {
        model.config_changes--;
        model.nr_generations++;
    }
    return true;
}

static uint8_t config_generation(struct virtio_device *device)
{
    return model.device.is_legacy ? 0 : (uint8_t)model.nr_generations;
}

static const struct virtio_transport transport = {
    .read_status = read_status,
    .write_status = write_status,
    .read_features = read_features,
    .write_features = write_features,
    .wait_for_reset = wait_for_reset,
    .cut_off = cut_off,
    .read_config = read_config,
    .config_generation = config_generation,
};

static int setup(void **state)
{
    memset(&model, 0, sizeof(model));
    last_message[0] = '\0';
    model.device.transport = &transport;
    model.device.name = "00:03.0";
    model.status = 0x4f; /* as firmware or a crashed kernel left it */
    model.offers = VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC | (1ull << 5) | (1ull << 9);
    model.accepts = UINT64_MAX;
    return 0;
}

static void a_device_starts(void **state)
{
    const uint8_t steps[] = {0, 0x01, 0x03, 0x0b, 0x0f};

    assert_int_equal(virtio_negotiate(&model.device, 1ull << 5, 0), 0);
    assert_int_equal(model.device.features,
                     VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC | (1ull << 5));
    assert_int_equal(model.written, model.device.features);
    assert_int_equal(virtio_start(&model.device), 0);
    assert_int_equal(model.nr_steps, sizeof(steps));
    assert_memory_equal(model.steps, steps, sizeof(steps));
}

/* Whatever a device offers, only what is allowed and known is taken. */
static void unknown_features_are_left(void **state)
{
    model.offers = ~VIRTIO_F_ACCESS_PLATFORM;
    assert_int_equal(virtio_negotiate(&model.device, 0, 0), 0);
    assert_int_equal(model.device.features,
                     VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_RING_PACKED);
    setup(state);
    model.offers = ~VIRTIO_F_ACCESS_PLATFORM;
    assert_int_equal(virtio_negotiate(&model.device, UINT64_MAX, 0), 0);
    assert_int_equal(model.device.features & ~0xffffffull,
                     VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_RING_PACKED);
}

static void expect_refused(const char *message)
{
    assert_true(model.status & VIRTIO_STATUS_FAILED);
    assert_false(model.status & VIRTIO_STATUS_DRIVER_OK);
    assert_non_null(strstr(last_message, message));
    assert_non_null(strstr(last_message, "00:03.0"));
    assert_int_equal(model.device.features, 0);
}

static void an_iommu_is_refused(void **state)
{
    model.offers |= VIRTIO_F_ACCESS_PLATFORM;
    assert_int_equal(virtio_negotiate(&model.device, 0, 0), -ENOTSUP);
    expect_refused("IOMMU");
}

static void a_modern_device_without_version_1_is_refused(void **state)
{
    model.offers &= ~VIRTIO_F_VERSION_1;
    assert_int_equal(virtio_negotiate(&model.device, 0, 0), -ENOTSUP);
    expect_refused("VERSION_1");
}

static void a_needed_feature_is_needed(void **state)
{
    assert_int_equal(virtio_negotiate(&model.device, 1u << 6, 1u << 6), -ENOTSUP);
    expect_refused("40");
}

static void features_not_ok_is_a_failure(void **state)
{
    model.accepts = 0;
    assert_int_equal(virtio_negotiate(&model.device, 0, 0), -ENOTSUP);
    expect_refused("does not accept");
}

static void a_legacy_device_has_no_features_ok(void **state)
{
    const uint8_t steps[] = {0, 0x01, 0x03, 0x07};

    model.device.is_legacy = true;
    model.offers = VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED | (1ull << 5);
    assert_int_equal(virtio_negotiate(&model.device, 1ull << 5, 0), 0);
    assert_int_equal(model.device.features, VIRTIO_F_EVENT_IDX | (1ull << 5));
    assert_int_equal(virtio_start(&model.device), 0);
    assert_int_equal(model.nr_steps, sizeof(steps));
    assert_memory_equal(model.steps, steps, sizeof(steps));
}

static void a_slow_reset_is_waited_for(void **state)
{
    model.reset_takes = 3;
    assert_int_equal(virtio_negotiate(&model.device, 0, 0), 0);
    assert_int_equal(model.nr_reset_waits, 3);
}

/* A device that ends it soon is looked at awake; else the CPU is somebody else's between two looks. */
static void a_very_slow_reset_is_slept_through(void **state)
{
    model.reset_takes = 60;
    assert_int_equal(virtio_reset(&model.device), 0);
    assert_int_equal(model.nr_slept, 0);
    model.nr_reset_waits = 0;
    model.reset_takes = 500;
    assert_int_equal(virtio_reset(&model.device), 0);
    assert_in_range(model.nr_slept, 400, 490);
    model.nr_reset_waits = model.nr_slept = 0;
    preempt_disable(); /* as in deferred work */
    assert_int_equal(virtio_reset(&model.device), 0);
    preempt_enable();
    assert_int_equal(model.nr_slept, 0);
}

static void an_endless_reset_is_not(void **state)
{
    model.never_resets = true;
    assert_int_equal(virtio_negotiate(&model.device, 0, 0), -ETIMEDOUT);
    assert_int_equal(model.nr_steps, 1);
    assert_non_null(strstr(last_message, "reset"));
}

/* For good, and with one message: it is neither waited for nor talked to again. */
static void a_device_without_an_end_of_its_reset_is_cut_off(void **state)
{
    model.never_resets = true;
    assert_int_equal(virtio_negotiate(&model.device, 0, 0), -ETIMEDOUT);
    assert_true(model.is_cut_off && model.device.is_cut_off);
    last_message[0] = '\0';
    model.nr_reset_waits = 0;
    assert_int_equal(virtio_reset(&model.device), -ETIMEDOUT);
    assert_int_equal(virtio_negotiate(&model.device, 0, 0), -EIO);
    assert_int_equal(model.nr_reset_waits, 0);
    assert_string_equal(last_message, "");
}

static void a_reset_in_steps(void **state)
{
    model.reset_takes = 2;
    virtio_reset_begin(&model.device);
    assert_int_equal(virtio_reset_poll(&model.device), -EAGAIN);
    assert_int_equal(virtio_reset_poll(&model.device), -EAGAIN);
    assert_int_equal(virtio_reset_poll(&model.device), 0);
    assert_false(model.is_cut_off);
    assert_int_equal(model.nr_steps, 1);
}

static void a_device_that_has_gone(void **state)
{
    model.is_gone = true;
    assert_int_equal(virtio_negotiate(&model.device, 0, 0), -ENODEV);
    assert_true(virtio_is_broken(&model.device));
    assert_int_equal(virtio_start(&model.device), -EIO);
}

static void a_device_that_needs_a_reset(void **state)
{
    assert_int_equal(virtio_negotiate(&model.device, 0, 0), 0);
    assert_false(virtio_is_broken(&model.device));
    model.status |= VIRTIO_STATUS_NEEDS_RESET;
    assert_true(virtio_is_broken(&model.device));
    assert_int_equal(virtio_start(&model.device), -EIO);
}

static void configuration_is_read_as_one(void **state)
{
    uint64_t value;

    model.config_changes = 3;
    assert_int_equal(virtio_read_config(&model.device, 0, &value, sizeof(value)), 0);
    assert_int_equal(value, 0x0303030303030303);
    assert_int_equal(virtio_read_config(&model.device, 1, &value, sizeof(value)), -EIO);
    model.config_changes = 1000000;
    assert_int_equal(virtio_read_config(&model.device, 0, &value, sizeof(value)), -EIO);
}

/* The model changes while it is read. */
static void a_legacy_configuration_is_read_until_it_holds_still(void **state)
{
    uint64_t value;

    model.device.is_legacy = true;
    model.config_changes = 3;
    assert_int_equal(virtio_read_config(&model.device, 0, &value, sizeof(value)), 0);
    assert_int_equal(value, 0x0303030303030303);
    assert_int_equal(virtio_read_config(&model.device, 1, &value, sizeof(value)), -EIO);
    model.config_changes = 1000000;
    assert_int_equal(virtio_read_config(&model.device, 0, &value, sizeof(value)), -EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_device_starts, setup),
        cmocka_unit_test_setup(unknown_features_are_left, setup),
        cmocka_unit_test_setup(an_iommu_is_refused, setup),
        cmocka_unit_test_setup(a_modern_device_without_version_1_is_refused, setup),
        cmocka_unit_test_setup(a_needed_feature_is_needed, setup),
        cmocka_unit_test_setup(features_not_ok_is_a_failure, setup),
        cmocka_unit_test_setup(a_legacy_device_has_no_features_ok, setup),
        cmocka_unit_test_setup(a_slow_reset_is_waited_for, setup),
        cmocka_unit_test_setup(a_very_slow_reset_is_slept_through, setup),
        cmocka_unit_test_setup(an_endless_reset_is_not, setup),
        cmocka_unit_test_setup(a_device_without_an_end_of_its_reset_is_cut_off, setup),
        cmocka_unit_test_setup(a_reset_in_steps, setup),
        cmocka_unit_test_setup(a_device_that_has_gone, setup),
        cmocka_unit_test_setup(a_device_that_needs_a_reset, setup),
        cmocka_unit_test_setup(configuration_is_read_as_one, setup),
        cmocka_unit_test_setup(a_legacy_configuration_is_read_until_it_holds_still, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
