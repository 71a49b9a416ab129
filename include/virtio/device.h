/* A virtio device as its driver sees it, whatever carries it: the status protocol and the negotiation of features
 * (virtio 1.2 3.1).
 *
 * Order of a driver's probe: virtio_negotiate, its interrupts, its queues, virtio_start. On any error in between, and
 * on a lie of the device later (virtio/virtqueue.h, V4): virtio_reset, or in steps where it cannot wait; then the
 * requests in flight end with an error, and virtio_fail. All calls on one device are one caller's at a time. */
#pragma once

#include <base/address.h>
#include <base/compiler.h>
#include <base/types.h>
#include <dev/device.h>

struct virtio_device;

/* Context: interrupt. It may be called for nothing: for what another queue or another device did, and before the
 * driver's queue is there. */
typedef void (*virtio_interrupt)(void *context);

/* What a driver wants to be interrupted for. Copied by the request. */
struct virtio_interrupts {
    unsigned nr_queues;              /* handlers for queues 0 to nr_queues - 1 */
    bool is_per_cpu;                 /* queue n's is to come to CPU n, as far as there are vectors */
    virtio_interrupt queue;          /* called with contexts[i] for queue i */
    void *const *contexts;           /* nr_queues of them */
    virtio_interrupt config_changed; /* the device's configuration is another; NULL: not wanted */
    void *config_context;
};

/* Where a queue's parts are, for the device. */
struct virtio_queue_place {
    uint16_t size;
    paddr_t descriptors, driver_area, device_area; /* legacy: all from descriptors, one after the other */
};

/* How a queue and its device reach each other, for people. */
struct virtio_wiring {
    enum { VIRTIO_POLLED, VIRTIO_BY_PIN, VIRTIO_BY_MESSAGE } interrupt;
    uint16_t vector;        /* of the device, of a message */
    uint64_t nr_interrupts; /* the queue's handler was called */
    bool has_port;          /* it is notified by this port, else by memory */
    uint16_t port;
};

/* What a bus gives. Registers of a device that has gone read all ones. Context: thread; status and notify: any. */
struct virtio_transport {
    uint8_t (*read_status)(struct virtio_device *device);
    void (*write_status)(struct virtio_device *device, uint8_t status);
    uint64_t (*read_features)(struct virtio_device *device); /* what the device offers */
    void (*write_features)(struct virtio_device *device, uint64_t features);
    /* False once the device has taken too long to end its reset. Context: any. */
    bool (*wait_for_reset)(struct virtio_device *device);
    /* Takes from the device, by the bus's means, all it needs to touch memory or to interrupt. Context: any. */
    void (*cut_off)(struct virtio_device *device);
    /* The largest size the device can do; 0 for a queue it does not have. A legacy queue has exactly that size. */
    uint16_t (*queue_size)(struct virtio_device *device, uint16_t index);
    /* Shows the device a queue that is ready. Returns 0 or an error. */
    int (*queue_enable)(struct virtio_device *device, uint16_t index, const struct virtio_queue_place *place);
    void (*notify)(struct virtio_device *device, uint16_t index);
    /* After virtio_negotiate, before the queues are enabled. Returns 0, or an error: then the device has no interrupt,
     * and its driver has to poll. Where there are fewer vectors than handlers they are shared. */
    int (*interrupts_request)(struct virtio_device *device, const struct virtio_interrupts *wanted);
    /* No handler runs any more when it returns. The device has been reset. Nothing happens without a request. */
    void (*interrupts_release)(struct virtio_device *device);
    void (*queue_wiring)(struct virtio_device *device, uint16_t index, struct virtio_wiring *wiring);
    /* Bytes of the device's own configuration; false where it is not that long. */
    bool (*read_config)(struct virtio_device *device, unsigned offset, void *to, size_t length);
    /* Writes a byte of it; false as above. */
    bool (*write_config8)(struct virtio_device *device, unsigned offset, uint8_t value);
    uint8_t (*config_generation)(struct virtio_device *device);
};

struct virtio_device {
    struct device device;
    const struct virtio_transport *transport; /* [I] */
    const char *name;                         /* [I] for the log: "00:03.0" */
    uint16_t id;                              /* [I] VIRTIO_ID_... */
    bool is_legacy;                           /* [I] */
    bool is_cut_off;                          /* it did not end a reset */
    uint64_t offered, features;               /* [I] after virtio_negotiate: by the device, and agreed on */
};

/* Resets the device and waits until it says that it is done. Returns 0; -ENODEV when it has gone; -ETIMEDOUT, with a
 * message, when it does not end the reset: then it is cut off from the bus for good. Whatever the result, the device
 * touches no memory of ours afterwards. Context: thread, which sleeps while the device takes its time; or deferred
 * work, which then keeps the CPU. */
int virtio_reset(struct virtio_device *device);

/* The same in steps, for who cannot wait: begin, then poll now and then as long as it says -EAGAIN. There is no
 * message. Context: any. */
void virtio_reset_begin(struct virtio_device *device);
MUST_CHECK int virtio_reset_poll(struct virtio_device *device);

/* Resets the device and agrees on features: of what it offers, the allowed ones of its own type and the ring features
 * we know; fails without all required ones. On success the device waits for its queues. Returns 0; -EIO for one that
 * was cut off; -ENOTSUP, with a message, when the two do not come together (the device is then marked failed); and
 * virtio_reset's errors. */
MUST_CHECK int virtio_negotiate(struct virtio_device *device, uint64_t allowed, uint64_t required);

/* The driver is ready: requests may go out. Returns 0, or -EIO when the device asks for a reset already or has gone. */
MUST_CHECK int virtio_start(struct virtio_device *device);

/* Tells the device that we have given up on it (2.1.1: only a reset brings it back). Context: any. */
void virtio_fail(struct virtio_device *device);

/* The device has met an error it cannot recover from, or has gone (2.1.2). Context: any. */
bool virtio_is_broken(struct virtio_device *device);

/* Reads configuration that may change meanwhile, as one (2.5.1). Returns 0; -EIO when it is not that long or never
 * holds still. */
MUST_CHECK int virtio_read_config(struct virtio_device *device, unsigned offset, void *to, size_t length);
