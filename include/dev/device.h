/* The device model: buses find devices, drivers say what they match, probe and remove come in pairs.
 *
 * Devices come and go while the kernel runs. device_add, device_remove and driver_register are called by one at a time:
 * boot, then pieces of work (dev/work.h), and from within those a driver's probe or remove. Whoever else looks at a
 * device holds a reference, which keeps its structure and its parents', not the hardware, nor its driver. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <lib/list.h>
#include <sync/refcount.h>

#define DEVICE_NAME_MAX 32

struct device;
struct driver;

struct bus {
    const char *name; /* "pci", "virtio", "platform" */
    /* True when the driver's match table names this device. Context: thread. */
    bool (*match)(const struct device *device, const struct driver *driver);
};

/* [I] after driver_register, unless said otherwise. */
struct driver {
    const char *name;
    const struct bus *bus;
    const void *matches; /* the bus's own match table */
    /* Takes the device. Returns 0 or an error; the device is then offered to the next driver. Context: thread. */
    int (*probe)(struct device *device);
    /* Undoes probe: no handler, timer or request of the driver is left when it returns. The device may be gone already
     * (is_gone). Context: thread. */
    void (*remove)(struct device *device);
    /* The device has vanished: from here on nothing it was asked for will be answered. Ends the requests in flight with
     * an error, and lets new ones fail, so that nobody waits for ever before remove comes; frees nothing. Called at
     * most once, and only between device_set_data and device_clear_data. NULL where a driver never waits. Context:
     * irq-off, with the device model's lock held: asks nothing of the device model, and does not log. */
    void (*gone)(struct device *device);
    struct list link; /* [device model lock] */
};

struct device {
    char name[DEVICE_NAME_MAX];             /* [I] unique on its bus: "00:03.0" */
    const struct bus *bus;                  /* [I] */
    struct device *parent;                  /* [I] NULL for a root */
    struct driver *driver;                  /* [device model lock] NULL while nobody has it */
    void *driver_data;                      /* [device model lock] to write: the driver's, device_set_data */
    bool is_gone;                           /* [a] vanished: its registers read all ones */
    bool is_listed;                         /* [device model lock] */
    struct refcount references;             /* one is the list's, one each child's */
    uint64_t number;                        /* [I] grows with each device added */
    struct list link;                       /* [device model lock] all devices, in the order found */
    void (*release)(struct device *device); /* frees the bus's own structure around this one, or NULL */
};

/* Adds a device and offers it to the drivers. Its structure is the device model's until release is called. One whose
 * parent is gone is gone. Returns 0, or -EEXIST for a name that is taken: the structure is the caller's then. */
MUST_CHECK int device_add(struct device *device);
/* Takes it from its driver and out of the tree; release is called when the last reference goes. Its children have been
 * removed. */
void device_remove(struct device *device);

/* A device found by device_for_each may be kept. device_put may call release. Context: thread. */
struct device *device_get(struct device *device);
void device_put(struct device *device);

/* Marks everything behind this device gone and tells its drivers (gone). Context: any but NMI and the drivers' own
 * locks. */
void device_mark_gone_behind(struct device *device);
bool device_is_gone(const struct device *device);

/* Sets driver_data. In probe, when the driver is ready to be told that the device is gone: -ENODEV, and nothing set,
 * when that has come already. */
MUST_CHECK int device_set_data(struct device *device, void *data);
/* Before the data is freed: gone does not run any more, nor will. */
void device_clear_data(struct device *device);

/* "no driver" for nobody's. Context: any. */
const char *device_driver_name(const struct device *device);
/* Offers every device without a driver to this one. Context: thread. */
void driver_register(struct driver *driver);

/* Calls visit for each device, parents first, until it returns false; no lock is held, and the device stays meanwhile.
 * Devices that come or go during the walk are visited or not. Context: thread. */
void device_for_each(bool (*visit)(struct device *device, void *context), void *context);
