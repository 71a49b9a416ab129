/* The device model: which devices there are, which drivers, and who has whom.
 *
 * 1. A device is in the list from device_add to device_remove, behind its parent, and the list has a reference to it.
 * 2. A device has a reference to its parent until it is released: whoever may look at one may look at all before it.
 * 3. device->driver is set before probe is called and cleared when it fails, so that no two drivers are asked at once.
 * 4. The lists are changed and read under the lock; probe, remove and visitors are called without it, because they may
 *    wait. A walk holds a reference to where it is, and finds its place again by number when that was taken out.
 * 5. gone is called under the lock, so that it cannot meet probe's failure or remove: those take the data away first.
 */
#include <dev/device.h>

#include <base/assert.h>
#include <base/errno.h>
#include <debug/log.h>
#include <lib/string.h>
#include <sync/spinlock.h>

static struct spinlock lock = SPINLOCK_INITIALIZER("device model");
static struct list devices = LIST_INITIALIZER(devices); /* [lock] */
static struct list drivers = LIST_INITIALIZER(drivers); /* [lock] */
static uint64_t last_number;                            /* [l] */

static struct device *device_of(struct list *link)
{
    return CONTAINER_OF(link, struct device, link);
}

/* Claims the device for the driver unless another has it. */
static bool claim(struct device *device, struct driver *driver)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);
    bool is_free = device->driver == NULL;

    if (is_free)
        device->driver = driver;
    spinlock_unlock_irqrestore(&lock, flags);
    return is_free;
}

static void disclaim(struct device *device)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);

    device->driver = NULL;
    device->driver_data = NULL;
    spinlock_unlock_irqrestore(&lock, flags);
}

static void offer(struct device *device, struct driver *driver)
{
    if (device->bus != driver->bus || !device->bus->match(device, driver) || !claim(device, driver))
        return;
    int error = driver->probe(device);
    if (error == 0)
        return;
    disclaim(device);
    if (error != -ENODEV) /* the driver's way to say: not mine after all */
        log_warn("%s %s: driver %s failed, error %d", device->bus->name, device->name, driver->name, -error);
}

static bool is_named(const struct bus *bus, const char *name)
{
    for (struct list *link = devices.next; link != &devices; link = link->next)
        if (device_of(link)->bus == bus && strcmp(device_of(link)->name, name) == 0)
            return true;
    return false;
}

/* Under the lock; invariant 4. */
static struct list *link_behind(struct device *previous)
{
    struct device *device;

    if (!previous)
        return devices.next;
    if (previous->is_listed)
        return previous->link.next;
    list_for_each_entry (device, &devices, link)
        if (device->number > previous->number)
            return &device->link;
    return &devices;
}

/* The device behind this one (NULL: the first), with a reference; gives that to `previous` back. NULL at the end. */
static struct device *next_device(struct device *previous)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);
    struct list *link = link_behind(previous);
    struct device *next = link == &devices ? NULL : device_get(device_of(link));

    spinlock_unlock_irqrestore(&lock, flags);
    if (previous)
        device_put(previous);
    return next;
}

/* Drivers stay for ever. */
static struct driver *next_driver(struct driver *driver)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);
    struct list *link = driver ? driver->link.next : drivers.next;

    spinlock_unlock_irqrestore(&lock, flags);
    return link == &drivers ? NULL : CONTAINER_OF(link, struct driver, link);
}

struct device *device_get(struct device *device)
{
    refcount_get(&device->references); /* the caller has one, or the lock */
    return device;
}

void device_put(struct device *device)
{
    while (device) {
        struct device *parent = device->parent;

        if (!refcount_put(&device->references))
            return;
        if (device->release)
            device->release(device);
        device = parent;
    }
}

bool device_is_gone(const struct device *device)
{
    return __atomic_load_n(&device->is_gone, __ATOMIC_ACQUIRE); /* pairs with the release in mark_gone */
}

int device_add(struct device *device)
{
    int error = 0;

    device->driver = NULL;
    device->driver_data = NULL;
    refcount_set(&device->references, 1);
    uint64_t flags = spinlock_lock_irqsave(&lock);
    if (is_named(device->bus, device->name)) {
        error = -EEXIST;
    } else {
        device->is_gone = device->parent && device->parent->is_gone;
        device->is_listed = true;
        device->number = ++last_number;
        if (device->parent)
            (void)device_get(device->parent);
        list_add_last(&devices, &device->link);
    }
    spinlock_unlock_irqrestore(&lock, flags);
    if (error)
        return error;
    for (struct driver *driver = next_driver(NULL); driver && !device->driver; driver = next_driver(driver))
        offer(device, driver);
    return 0;
}

void device_remove(struct device *device)
{
    if (device->driver) {
        device->driver->remove(device);
        disclaim(device);
    }
    uint64_t flags = spinlock_lock_irqsave(&lock);
    list_remove(&device->link);
    device->is_listed = false;
    spinlock_unlock_irqrestore(&lock, flags);
    device_put(device);
}

int device_set_data(struct device *device, void *data)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);
    int error = device->is_gone ? -ENODEV : 0;

    if (!error)
        device->driver_data = data;
    spinlock_unlock_irqrestore(&lock, flags);
    return error;
}

void device_clear_data(struct device *device)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);

    device->driver_data = NULL;
    spinlock_unlock_irqrestore(&lock, flags);
}

static void mark_gone(struct device *device)
{
    __atomic_store_n(&device->is_gone, true, __ATOMIC_RELEASE); /* pairs with device_is_gone */
    if (device->driver && device->driver->gone && device->driver_data)
        device->driver->gone(device);
}

void device_mark_gone_behind(struct device *top)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);
    struct device *device;

    list_for_each_entry (device, &devices, link) /* parents come first */
        if (!device->is_gone && device->parent && (device->parent == top || device->parent->is_gone))
            mark_gone(device);
    spinlock_unlock_irqrestore(&lock, flags);
}

const char *device_driver_name(const struct device *device)
{
    const struct driver *driver = __atomic_load_n(&device->driver, __ATOMIC_RELAXED);

    return driver ? driver->name : "no driver";
}

void driver_register(struct driver *driver)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);

    list_add_last(&drivers, &driver->link);
    spinlock_unlock_irqrestore(&lock, flags);
    for (struct device *device = next_device(NULL); device; device = next_device(device))
        if (!device->driver)
            offer(device, driver);
}

void device_for_each(bool (*visit)(struct device *device, void *context), void *context)
{
    struct device *device = next_device(NULL);

    while (device && visit(device, context))
        device = next_device(device);
    if (device)
        device_put(device);
}
