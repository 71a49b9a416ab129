/* Interrupts of a virtio function: a vector for the configuration and for each queue, else one for the configuration
 * and one for all queues, else one for all, else the pin.
 *
 * 1. The driver's handlers stand in a row, the configuration's first if there is one, and handler i has vector i. The
 *    last vector has all handlers from its own on, whether we asked for fewer or the bus had no more.
 * 2. A device that refuses one vector gets them all anew, fewer (virtio 1.2 4.1.5.1.2.1).
 * 3. Without MSI-X, the ISR register says what the interrupt is for, and reading it ends the interrupt (4.1.4.5). With
 *    MSI-X it is read only where one vector is all there is: a change of the configuration is there before its
 *    interrupt (4.1.4.5.1), and without this each completion would look like one. */
#include "pci.h"

#include <base/errno.h>
#include <cpu/io.h>
#include <mm/kmalloc.h>
#include <sync/spinlock.h>

#define ISR_GONE 0xffu

struct virtio_pci_handler {
    struct virtio_pci *device;
    virtio_interrupt run;
    void *context;
    uint32_t cpu;      /* that it is for, or IRQ_ANY_CPU */
    uint64_t nr_calls; /* by one CPU: each handler has one vector */
};

struct virtio_pci_interrupts {
    bool has_config;      /* [I] handlers[0] is the configuration's */
    unsigned nr_handlers; /* [I] */
    unsigned nr_asked;    /* [I] vectors asked for; the last has the rest of the handlers */
    unsigned nr_vectors;  /* [I] vectors there are; 0 while that is not known */
    struct virtio_pci_handler handlers[];
};

/* For virtio_pci_queue_wiring; handlers end before their memory does. */
static struct spinlock wiring_lock = SPINLOCK_INITIALIZER("virtio interrupts");

static uint8_t read_isr(const struct virtio_pci *device)
{
    return device->isr ? register_read8(device->isr) : in8((uint16_t)(device->port + VIRTIO_PCI_LEGACY_ISR));
}

/* ---- arrival ---- */

static bool is_config(const struct virtio_pci_handler *handler)
{
    const struct virtio_pci_interrupts *interrupts = handler->device->interrupts;

    return interrupts->has_config && handler == interrupts->handlers;
}

static void run(struct virtio_pci_handler *handler)
{
    WRITE_ONCE(handler->nr_calls, handler->nr_calls + 1);
    handler->run(handler->context);
}

static enum irq_result message_arrived(void *context)
{
    struct virtio_pci_handler *handler = context;
    struct virtio_pci *device = handler->device;
    struct virtio_pci_interrupts *interrupts = device->interrupts;
    const struct virtio_pci_handler *end = handler + 1;

    if (handler - interrupts->handlers + 1u == interrupts->nr_asked)
        end = interrupts->handlers + interrupts->nr_handlers;
    for (; handler < end; handler++)
        if (!is_config(handler) || interrupts->nr_vectors != 1 || read_isr(device) & VIRTIO_PCI_ISR_CONFIG)
            run(handler);
    return IRQ_HANDLED;
}

/* The vector of one queue and nothing else. */
static enum irq_result message_for_queue(void *context)
{
    run(context);
    return IRQ_HANDLED;
}

static enum irq_result pin_raised(void *context)
{
    struct virtio_pci *device = context;
    struct virtio_pci_interrupts *interrupts = device->interrupts;
    uint8_t causes = read_isr(device);

    if (causes == ISR_GONE || !(causes & (VIRTIO_PCI_ISR_QUEUE | VIRTIO_PCI_ISR_CONFIG)))
        return IRQ_NOT_MINE;
    for (unsigned i = 0; i < interrupts->nr_handlers; i++)
        if (causes & (is_config(&interrupts->handlers[i]) ? VIRTIO_PCI_ISR_CONFIG : VIRTIO_PCI_ISR_QUEUE))
            run(&interrupts->handlers[i]);
    return IRQ_HANDLED;
}

/* ---- request ---- */

static bool set_vector(struct virtio_pci *device, uint32_t queue, uint16_t vector)
{
    return device->virtio.is_legacy ? virtio_pci_legacy_set_vector(device, queue, vector)
                                    : virtio_pci_modern_set_vector(device, queue, vector);
}

static uint16_t vector_of(const struct virtio_pci_interrupts *interrupts, unsigned handler)
{
    return (uint16_t)(handler < interrupts->nr_vectors ? handler : interrupts->nr_vectors - 1);
}

/* Tells the device the vectors; false where it refuses one. */
static bool program(struct virtio_pci *device)
{
    const struct virtio_pci_interrupts *interrupts = device->interrupts;
    unsigned first_queue = interrupts->has_config;

    if (!set_vector(device, VIRTIO_PCI_CONFIG, interrupts->has_config ? 0 : VIRTIO_PCI_NO_VECTOR))
        return false;
    for (unsigned i = first_queue; i < interrupts->nr_handlers; i++) {
        if (!set_vector(device, i - first_queue, vector_of(interrupts, i)))
            return false;
    }
    return true;
}

static void release(struct virtio_pci *device)
{
    device->has_msix = false;
    device->interrupts->nr_vectors = 0;
    pci_interrupts_release(device->pci);
}

/* Returns 0; -EBUSY where the device refuses one of the vectors; -ENODEV where it has no MSI-X. */
static int use_messages(struct virtio_pci *device, unsigned nr_asked)
{
    struct virtio_pci_interrupts *interrupts = device->interrupts;
    struct pci_handler *handlers = kmalloc(nr_asked * sizeof(*handlers), ALLOC_NORMAL);
    int result;

    if (handlers == NULL)
        return -ENOMEM;
    for (unsigned i = 0; i < nr_asked; i++) {
        struct virtio_pci_handler *handler = &interrupts->handlers[i];
        bool is_alone = i + 1 < nr_asked || nr_asked == interrupts->nr_handlers;

        handlers[i] = (struct pci_handler){.run = is_alone && !is_config(handler) ? message_for_queue : message_arrived,
                                           .context = handler,
                                           .cpu = handler->cpu};
    }
    interrupts->nr_asked = nr_asked;
    result = pci_interrupts_request(device->pci, nr_asked, handlers, device->virtio.name);
    kfree(handlers);
    if (result < 0)
        return result;
    device->has_msix = pci_interrupts_mode(device->pci) == PCI_MSIX;
    interrupts->nr_vectors = (unsigned)result;
    if (device->has_msix && program(device))
        return 0;
    result = device->has_msix ? -EBUSY : -ENODEV;
    release(device);
    return result;
}

static int use_any(struct virtio_pci *device)
{
    unsigned nr_asked = device->interrupts->nr_handlers;
    int result = use_messages(device, nr_asked);

    while (result == -EBUSY && nr_asked > 1) {
        nr_asked = nr_asked > 2 ? 2 : 1;
        result = use_messages(device, nr_asked);
    }
    if (result == 0)
        return 0;
    return pci_interrupts_request_pin(device->pci, pin_raised, device, device->virtio.name);
}

static void forget(struct virtio_pci *device)
{
    uint64_t flags = spinlock_lock_irqsave(&wiring_lock);
    struct virtio_pci_interrupts *interrupts = device->interrupts;

    device->interrupts = NULL;
    spinlock_unlock_irqrestore(&wiring_lock, flags);
    kfree(interrupts);
}

int virtio_pci_interrupts_request(struct virtio_device *virtio, const struct virtio_interrupts *wanted)
{
    struct virtio_pci *device = virtio_pci_of(virtio);
    unsigned nr_handlers = wanted->nr_queues + (wanted->config_changed != NULL);
    struct virtio_pci_interrupts *interrupts;
    struct virtio_pci_handler *handler;
    int result;

    if (nr_handlers == 0)
        return -EINVAL;
    if (device->interrupts != NULL)
        return -EBUSY;
    interrupts = kmalloc(sizeof(*interrupts) + nr_handlers * sizeof(interrupts->handlers[0]), ALLOC_ZERO);
    if (interrupts == NULL)
        return -ENOMEM;
    interrupts->nr_handlers = nr_handlers;
    interrupts->has_config = wanted->config_changed != NULL;
    handler = interrupts->handlers;
    if (interrupts->has_config)
        *handler++ =
            (struct virtio_pci_handler){device, wanted->config_changed, wanted->config_context, IRQ_ANY_CPU, 0};
    for (unsigned i = 0; i < wanted->nr_queues; i++)
        *handler++ = (struct virtio_pci_handler){device, wanted->queue, wanted->contexts[i],
                                                 wanted->is_per_cpu ? i : IRQ_ANY_CPU, 0};
    device->interrupts = interrupts;
    result = use_any(device);
    if (result != 0)
        forget(device);
    return result;
}

void virtio_pci_interrupts_release(struct virtio_device *virtio)
{
    struct virtio_pci *device = virtio_pci_of(virtio);

    if (device->interrupts == NULL)
        return;
    release(device);
    forget(device);
}

void virtio_pci_queue_wiring(struct virtio_device *virtio, uint16_t index, struct virtio_wiring *wiring)
{
    struct virtio_pci *device = virtio_pci_of(virtio);
    uint64_t flags = spinlock_lock_irqsave(&wiring_lock);
    const struct virtio_pci_interrupts *interrupts = device->interrupts;
    unsigned handler = index;

    *wiring = (struct virtio_wiring){.interrupt = VIRTIO_POLLED};
    if (interrupts != NULL && handler + interrupts->has_config < interrupts->nr_handlers) {
        handler += interrupts->has_config;
        wiring->interrupt = device->has_msix ? VIRTIO_BY_MESSAGE : VIRTIO_BY_PIN;
        wiring->vector = device->has_msix ? vector_of(interrupts, handler) : 0;
        wiring->nr_interrupts = READ_ONCE(interrupts->handlers[handler].nr_calls);
    }
    spinlock_unlock_irqrestore(&wiring_lock, flags);
    wiring->has_port = virtio->is_legacy || device->bells[index].memory == NULL;
    if (wiring->has_port)
        wiring->port =
            virtio->is_legacy ? (uint16_t)(device->port + VIRTIO_PCI_LEGACY_QUEUE_NOTIFY) : device->bells[index].port;
}
