/* The status protocol (virtio 1.2 3.1.1) over any transport. */
#include <virtio/device.h>

#include <base/errno.h>
#include <cpu/interrupts.h>
#include <cpu/preempt.h>
#include <debug/log.h>
#include <hw/virtio.h>
#include <lib/string.h>
#include <time/clock.h>
#include <time/timer.h>

/* What the ring code can do. ACCESS_PLATFORM is not among them: our addresses are physical ones. */
#define RING_FEATURES (VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED)

#define QUICK_LOOKS 64u       /* whether a reset has ended; most devices end it before the first */
#define LOOK_NS     NS_PER_MS /* between two of the others */

#define CONFIG_TRIES 16 /* a configuration that changes as often while it is read is a lie */

static uint8_t read_status(struct virtio_device *device)
{
    return device->transport->read_status(device);
}

/* Bits are only ever added; a reset clears them. */
static void add_status(struct virtio_device *device, uint8_t bit)
{
    device->transport->write_status(device, (uint8_t)(read_status(device) | bit));
}

void virtio_reset_begin(struct virtio_device *device)
{
    device->transport->write_status(device, 0);
}

int virtio_reset_poll(struct virtio_device *device)
{
    uint8_t status = read_status(device);

    if (status == 0)
        return 0;
    if (status == VIRTIO_STATUS_GONE)
        return -ENODEV;
    if (device->is_cut_off)
        return -ETIMEDOUT;
    if (device->transport->wait_for_reset(device))
        return -EAGAIN;
    device->is_cut_off = true;
    device->transport->cut_off(device);
    return -ETIMEDOUT;
}

int virtio_reset(struct virtio_device *device)
{
    bool was_cut_off = device->is_cut_off;
    unsigned nr_looks = 0;
    int result;

    virtio_reset_begin(device);
    while ((result = virtio_reset_poll(device)) == -EAGAIN) {
        if (++nr_looks < QUICK_LOOKS || !may_sleep())
            cpu_relax();
        else
            sleep_ns(LOOK_NS);
    }
    if (result == -ETIMEDOUT && !was_cut_off)
        log_error("virtio %s: does not end its reset: cut off", device->name);
    return result;
}

/* 0, or -ENOTSUP with the reason in the log. */
static int check_offer(const struct virtio_device *device, uint64_t offered, uint64_t required)
{
    if (offered & VIRTIO_F_ACCESS_PLATFORM) {
        log_error("virtio %s: wants addresses translated by an IOMMU, for which there is no driver: refused",
                  device->name);
        return -ENOTSUP;
    }
    if (!device->is_legacy && !(offered & VIRTIO_F_VERSION_1)) {
        log_error("virtio %s: a modern device that does not offer VERSION_1: refused", device->name);
        return -ENOTSUP;
    }
    if ((offered & required) != required) {
        log_error("virtio %s: lacks features %lx that its driver needs: refused", device->name, (required & ~offered));
        return -ENOTSUP;
    }
    return 0;
}

/* 3.1.1, steps 4 to 6. A legacy device has no FEATURES_OK (3.1.2). */
static int agree(struct virtio_device *device, uint64_t features)
{
    device->transport->write_features(device, features);
    if (device->is_legacy)
        return 0;
    add_status(device, VIRTIO_STATUS_FEATURES_OK);
    if (read_status(device) & VIRTIO_STATUS_FEATURES_OK)
        return 0;
    log_error("virtio %s: does not accept features %lx", device->name, features);
    return -ENOTSUP;
}

int virtio_negotiate(struct virtio_device *device, uint64_t allowed, uint64_t required)
{
    uint64_t offered, features;
    int result;

    device->features = 0;
    if (device->is_cut_off)
        return -EIO;
    result = virtio_reset(device);
    if (result != 0)
        return result;
    add_status(device, VIRTIO_STATUS_ACKNOWLEDGE);
    add_status(device, VIRTIO_STATUS_DRIVER);
    offered = device->transport->read_features(device);
    if (device->is_legacy)
        offered &= VIRTIO_LEGACY_FEATURES;
    device->offered = offered;
    features = offered & ((allowed & VIRTIO_DEVICE_FEATURES) | RING_FEATURES);
    result = check_offer(device, offered, required);
    if (result == 0)
        result = agree(device, features);
    if (result == 0 && read_status(device) == VIRTIO_STATUS_GONE)
        return -ENODEV;
    if (result != 0) {
        virtio_fail(device);
        return result;
    }
    device->features = features;
    return 0;
}

int virtio_start(struct virtio_device *device)
{
    add_status(device, VIRTIO_STATUS_DRIVER_OK);
    return virtio_is_broken(device) ? -EIO : 0;
}

void virtio_fail(struct virtio_device *device)
{
    add_status(device, VIRTIO_STATUS_FAILED);
}

bool virtio_is_broken(struct virtio_device *device)
{
    return read_status(device) & VIRTIO_STATUS_NEEDS_RESET; /* all ones, too */
}

/* Does it read the same again? */
static bool holds_still(struct virtio_device *device, unsigned offset, const uint8_t *was, size_t length)
{
    uint8_t again[16];

    for (size_t at = 0; at < length; at += sizeof(again)) {
        size_t some = length - at < sizeof(again) ? length - at : sizeof(again);

        if (!device->transport->read_config(device, offset + (unsigned)at, again, some) ||
            memcmp(again, was + at, some) != 0)
            return false;
    }
    return true;
}

int virtio_read_config(struct virtio_device *device, unsigned offset, void *to, size_t length)
{
    for (unsigned i = 0; i < CONFIG_TRIES; i++) {
        uint8_t generation = device->transport->config_generation(device);

        if (!device->transport->read_config(device, offset, to, length))
            return -EIO;
        /* A legacy device has no generation: two equal reads have to do (2.5.4). */
        if (device->is_legacy ? holds_still(device, offset, to, length)
                              : device->transport->config_generation(device) == generation)
            return 0;
    }
    return -EIO;
}
