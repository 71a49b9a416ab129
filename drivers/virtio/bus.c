/* The virtio bus. */
#include <virtio/bus.h>

static bool match(const struct device *device, const struct driver *driver)
{
    const struct virtio_device *virtio = CONTAINER_OF(device, const struct virtio_device, device);

    for (const virtio_match *type = driver->matches; *type != 0; type++)
        if (*type == virtio->id)
            return true;
    return false;
}

const struct bus virtio_bus = {.name = "virtio", .match = match};
