/* The device model: which devices there are, which drivers, and who has whom.
 *
 * 1. A device is in the list from device_add to device_remove, behind its parent.
 * 2. device->driver is set before probe is called and cleared when it fails, so that no two drivers are asked at once.
 * 3. The lists are changed and read under the lock; probe and remove are called without it, because they may wait. */
#include <dev/device.h>

#include <base/errno.h>
#include <debug/log.h>
#include <lib/string.h>
#include <sync/spinlock.h>

static struct spinlock lock = SPINLOCK_INITIALIZER("device model");
static struct list devices = LIST_INITIALIZER(devices);
static struct list drivers = LIST_INITIALIZER(drivers);

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

/* The link behind this one, or NULL at the end. */
static struct list *next_of(struct list *head, struct list *link)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);
    struct list *next = link->next;

    spinlock_unlock_irqrestore(&lock, flags);
    return next == head ? NULL : next;
}

static bool is_named(const struct bus *bus, const char *name)
{
    for (struct list *link = devices.next; link != &devices; link = link->next)
        if (device_of(link)->bus == bus && strcmp(device_of(link)->name, name) == 0)
            return true;
    return false;
}

int device_add(struct device *device)
{
    int error = 0;

    device->driver = NULL;
    uint64_t flags = spinlock_lock_irqsave(&lock);
    if (is_named(device->bus, device->name))
        error = -EEXIST;
    else
        list_add_last(&devices, &device->link);
    spinlock_unlock_irqrestore(&lock, flags);
    if (error)
        return error;
    for (struct list *link = next_of(&drivers, &drivers); link && !device->driver; link = next_of(&drivers, link))
        offer(device, CONTAINER_OF(link, struct driver, link));
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
    spinlock_unlock_irqrestore(&lock, flags);
    if (device->release)
        device->release(device);
}

void driver_register(struct driver *driver)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);

    list_add_last(&drivers, &driver->link);
    spinlock_unlock_irqrestore(&lock, flags);
    for (struct list *link = next_of(&devices, &devices); link; link = next_of(&devices, link))
        if (!device_of(link)->driver)
            offer(device_of(link), driver);
}

void device_for_each(bool (*visit)(struct device *device, void *context), void *context)
{
    for (struct list *link = next_of(&devices, &devices); link; link = next_of(&devices, link))
        if (!visit(device_of(link), context))
            return;
}
