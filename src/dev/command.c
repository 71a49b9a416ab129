/* devices */
#include <base/errno.h>
#include <debug/command.h>
#include <debug/console.h>
#include <dev/device.h>

static bool print_device(struct device *device, void *context)
{
    int indent = 0;

    (void)context;
    for (const struct device *parent = device->parent; parent; parent = parent->parent)
        indent += 2;
    console_printf("%*s%s %s: %s%s\n", indent, "", device->bus->name, device->name, device_driver_name(device),
                   device_is_gone(device) ? ", gone" : "");
    return true;
}

static int run_devices(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return -E2BIG;
    device_for_each(print_device, NULL);
    return 0;
}

COMMAND(devices, .name = "devices", .arguments = "", .summary = "all devices, and the driver of each",
        .run = run_devices, .details = "What is behind a bridge is indented.");
