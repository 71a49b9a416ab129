/* The device model: buses find devices, drivers say what they match, probe and remove come in pairs. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <lib/list.h>

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
    struct list link; /* [device model lock] */
};

struct device {
    char name[DEVICE_NAME_MAX];             /* [I] unique on its bus: "00:03.0" */
    const struct bus *bus;                  /* [I] */
    struct device *parent;                  /* [I] NULL for a root */
    struct driver *driver;                  /* [device model lock] NULL while nobody has it */
    void *driver_data;                      /* the driver's */
    bool is_gone;                           /* [a] unplugged: its registers read all ones */
    struct list link;                       /* [device model lock] all devices, in the order found */
    void (*release)(struct device *device); /* frees the bus's own structure around this one */
};

/* Adds a device and offers it to the drivers. The bus owns it until device_remove. Context: thread. */
MUST_CHECK int device_add(struct device *device);
/* Takes it from its driver and out of the tree, then calls release. Context: thread. */
void device_remove(struct device *device);
/* Offers every device without a driver to this one. Context: thread. */
void driver_register(struct driver *driver);

/* Calls visit for each device, parents first, until it returns false. Context: thread. */
void device_for_each(bool (*visit)(struct device *device, void *context), void *context);
