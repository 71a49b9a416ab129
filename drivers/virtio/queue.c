/* Memory for rings, and showing them to devices.
 *
 * A ring is physically contiguous (1,024 entries: 32 KiB, 32,768: 1 MiB), and so are its tables, of which there may be
 * one for each entry. Where there is no such memory there are fewer tables, then none, then a modern device gets a
 * shorter ring: slower, but it works. */
#include <virtio/queue.h>

#include <base/align.h>
#include <base/assert.h>
#include <base/errno.h>
#include <debug/log.h>
#include <hw/virtio.h>
#include <hw/virtio_ring.h>
#include <mm/kmalloc.h>
#include <mm/page_alloc.h>
#include <mm/physmap.h>
#include <sync/spinlock.h>

#define SIZE_SHORTEST 4u /* what a ring is shortened to at the most */

static struct spinlock queues_lock = SPINLOCK_INITIALIZER("list of virtqueues");
static struct list queues = LIST_INITIALIZER(queues); /* [queues_lock] in the order in which they were created */

static struct virtqueue_config choose_config(const struct virtio_device *device, uint16_t offered, uint16_t max_size,
                                             uint16_t max_segments)
{
    struct virtqueue_config config = {
        .format = device->features & VIRTIO_F_RING_PACKED ? VIRTQUEUE_PACKED : VIRTQUEUE_SPLIT,
        .size = offered,
        .has_event_index = device->features & VIRTIO_F_EVENT_IDX,
        .is_legacy = device->is_legacy,
    };

    /* A legacy device has one size only. A modern one says the largest it can do. */
    if (!device->is_legacy && config.size > max_size)
        config.size = max_size;
    if (!device->is_legacy && config.format == VIRTQUEUE_SPLIT && config.size > 0)
        config.size = (uint16_t)(1u << log2_floor(config.size));
    if (device->features & VIRTIO_F_INDIRECT_DESC && max_segments > 1) {
        config.table_length = max_segments < config.size ? max_segments : config.size;
        config.nr_tables = config.size;
    }
    return config;
}

static int allocate_planned(struct virtio_queue *queue, const struct virtqueue_layout *layout)
{
    struct page *pages;

    queue->order = log2_ceil(align_up(layout->ring_bytes, PAGE_SIZE) >> PAGE_SHIFT);
    pages = page_alloc(queue->order, PAGE_PRIVATE, ALLOC_NORMAL);
    if (pages == NULL)
        return -ENOMEM;
    queue->memory.ring = phys_to_virt(pfn_to_paddr(page_to_pfn(pages)));
    queue->memory.private = kmalloc(layout->private_bytes, ALLOC_NORMAL);
    if (layout->tables_bytes) {
        queue->memory.tables = kmalloc(layout->tables_bytes, ALLOC_NORMAL);
        if (queue->memory.tables != NULL)
            queue->memory.tables_base = physmap_to_phys(queue->memory.tables);
    }
    if (queue->memory.private == NULL || (layout->tables_bytes && queue->memory.tables == NULL))
        return -ENOMEM;
    return 0;
}

static void give_back(struct virtio_queue *queue)
{
    kfree(queue->memory.private);
    kfree(queue->memory.tables);
    if (queue->memory.ring != NULL)
        page_free(page_of_pfn(paddr_to_pfn(physmap_to_phys(queue->memory.ring))), queue->order);
    queue->memory = (struct virtqueue_memory){0};
}

/* Makes do with less of what there was no memory for; false where there is no less. */
static bool shrink(struct virtqueue_config *config, bool only_tables_lacked)
{
    if (only_tables_lacked) {
        config->nr_tables /= 2;
        return true;
    }
    if (config->is_legacy || config->size / 2 < SIZE_SHORTEST)
        return false;
    config->size /= 2;
    if (config->nr_tables > config->size)
        config->nr_tables = config->size;
    if (config->table_length > config->size)
        config->table_length = config->size;
    return true;
}

/* Memory for the queue, or for as much of it as there is. */
static int allocate(struct virtio_queue *queue, struct virtqueue_config *config, struct virtqueue_layout *layout)
{
    struct virtqueue_config wanted = *config;
    bool only_tables_lacked;
    int result;

    do {
        result = virtqueue_plan(config, layout);
        if (result == 0)
            result = allocate_planned(queue, layout);
        if (result != -ENOMEM)
            break;
        only_tables_lacked = queue->memory.ring != NULL && queue->memory.private != NULL;
        give_back(queue);
    } while (shrink(config, only_tables_lacked));
    if (result == 0 && (config->size < wanted.size || config->nr_tables < wanted.nr_tables))
        log_warn("virtio %s: for want of memory queue %u has a ring of %u, not %u, and %u tables, not %u",
                 queue->device->name, queue->index, config->size, wanted.size, config->nr_tables, wanted.nr_tables);
    return result;
}

static void list_queue(struct virtio_queue *queue)
{
    uint64_t flags = spinlock_lock_irqsave(&queues_lock);

    list_add_last(&queues, &queue->link);
    spinlock_unlock_irqrestore(&queues_lock, flags);
}

static void unlist_queue(struct virtio_queue *queue)
{
    uint64_t flags = spinlock_lock_irqsave(&queues_lock);

    list_remove(&queue->link);
    spinlock_unlock_irqrestore(&queues_lock, flags);
}

int virtio_queue_create(struct virtio_queue *queue, struct virtio_device *device, uint16_t index, uint16_t max_size,
                        uint16_t max_segments)
{
    uint16_t offered = device->transport->queue_size(device, index);
    struct virtqueue_config config = choose_config(device, offered, max_size, max_segments);
    struct virtqueue_layout layout;
    struct virtio_queue_place place;
    paddr_t base;
    int result;

    *queue = (struct virtio_queue){.device = device, .index = index};
    if (offered == 0) {
        log_error("virtio %s: has no queue %u", device->name, index);
        return -ENODEV;
    }
    result = allocate(queue, &config, &layout);
    if (result == 0)
        result = virtqueue_init(&queue->ring, &config, &queue->memory);
    if (result != 0) {
        log_error("virtio %s: no ring of %u for queue %u, error %d", device->name, config.size, index, -result);
        give_back(queue);
        return result;
    }
    base = physmap_to_phys(queue->memory.ring);
    place = (struct virtio_queue_place){config.size, base, paddr_add(base, layout.driver_offset),
                                        paddr_add(base, layout.device_offset)};
    result = device->transport->queue_enable(device, index, &place);
    if (result != 0)
        give_back(queue);
    else
        list_queue(queue);
    return result;
}

void virtio_queue_destroy(struct virtio_queue *queue)
{
    ASSERT(queue->ring.nr_in_flight == 0);
    if (queue->memory.ring == NULL)
        return;
    unlist_queue(queue);
    give_back(queue);
}

void virtio_queue_notify(struct virtio_queue *queue)
{
    if (!virtqueue_must_notify(&queue->ring))
        return;
    queue->nr_notifications++;
    queue->device->transport->notify(queue->device, queue->index);
}

static void look(const struct virtio_queue *queue, struct virtio_queue_figures *figures)
{
    *figures = (struct virtio_queue_figures){
        .index = queue->index,
        .config = queue->ring.config,
        .nr_free = READ_ONCE(queue->ring.nr_free),
        .nr_in_flight = READ_ONCE(queue->ring.nr_in_flight),
        .fault = READ_ONCE(queue->ring.fault),
        .nr_notifications = READ_ONCE(queue->nr_notifications),
    };
    queue->device->transport->queue_wiring(queue->device, queue->index, &figures->wiring);
}

bool virtio_queue_look(const struct virtio_device *device, unsigned n, struct virtio_queue_figures *figures)
{
    uint64_t flags = spinlock_lock_irqsave(&queues_lock);
    struct virtio_queue *queue;
    bool is_found = false;

    list_for_each_entry (queue, &queues, link) {
        is_found = queue->device == device && n-- == 0;
        if (is_found) {
            look(queue, figures);
            break;
        }
    }
    spinlock_unlock_irqrestore(&queues_lock, flags);
    return is_found;
}
