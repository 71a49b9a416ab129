/* The command `virtio`. */
#include "names.h"

#include <base/errno.h>
#include <debug/command.h>
#include <debug/console.h>
#include <hw/virtio.h>
#include <virtio/bus.h>
#include <virtio/queue.h>

static void print_bits(const char *title, uint64_t bits, uint16_t id, const char *(*name)(uint16_t id, unsigned bit))
{
    console_printf("  %s:", title);
    for (unsigned bit = 0; bit < 64; bit++) {
        const char *known = name(id, bit);

        if (!(bits & 1ull << bit))
            continue;
        if (known != NULL)
            console_printf(" %s", known);
        else
            console_printf(" bit-%u", bit);
    }
    console_printf(bits ? "\n" : " none\n");
}

static const char *status_name(uint16_t id, unsigned bit)
{
    (void)id;
    return virtio_status_name(bit);
}

static void print_wiring(const struct virtio_wiring *wiring)
{
    if (wiring->interrupt == VIRTIO_POLLED)
        console_printf(", no interrupt");
    else if (wiring->interrupt == VIRTIO_BY_PIN)
        console_printf(", %lu interrupts by the pin", wiring->nr_interrupts);
    else
        console_printf(", %lu interrupts by message %u", wiring->nr_interrupts, wiring->vector);
}

static void print_queue(const struct virtio_queue_figures *queue)
{
    const struct virtqueue_config *config = &queue->config;

    console_printf("  queue %u: %s ring of %u, %u free, %u in flight", queue->index,
                   config->format == VIRTQUEUE_PACKED ? "packed" : "split", config->size, queue->nr_free,
                   queue->nr_in_flight);
    if (config->nr_tables)
        console_printf(", %u tables of %u", config->nr_tables, config->table_length);
    print_wiring(&queue->wiring);
    if (queue->wiring.has_port)
        console_printf(", %lu notifications by port 0x%x", queue->nr_notifications, queue->wiring.port);
    else
        console_printf(", %lu notifications", queue->nr_notifications);
    console_printf(", %s\n", virtqueue_fault_name(queue->fault));
}

static bool print_device(struct device *base, void *context)
{
    const char *type;
    struct virtio_device *device;
    struct virtio_queue_figures queue;
    uint8_t status;

    if (base->bus != &virtio_bus)
        return true;
    *(bool *)context = true;
    device = virtio_device_of(base);
    type = virtio_type_name(device->id);
    console_printf("%s: %s (type %u), %s, %s%s\n", device->name, type ? type : "unknown", device->id,
                   device->is_legacy ? "legacy" : "modern", device_driver_name(base),
                   device->is_cut_off ? ", cut off" : "");
    status = device->transport->read_status(device);
    if (status == VIRTIO_STATUS_GONE)
        console_printf("  status: gone\n");
    else
        print_bits("status", status, 0, status_name);
    if (device->offered != 0) {
        print_bits("features", device->features, device->id, virtio_feature_name);
        print_bits("features left alone", device->offered & ~device->features, device->id, virtio_feature_name);
    }
    for (unsigned n = 0; virtio_queue_look(device, n, &queue); n++)
        print_queue(&queue);
    return true;
}

static int run_virtio(int argc, char **argv)
{
    bool has_any = false;

    (void)argv;
    if (argc > 1)
        return -E2BIG;
    device_for_each(print_device, &has_any);
    if (!has_any)
        console_printf("there are no virtio devices\n");
    return 0;
}

COMMAND(virtio, .name = "virtio", .arguments = "", .summary = "virtio devices: features, queues, interrupts",
        .run = run_virtio);
