/* The driver of ports with a slot: its interrupt takes the events from the port and queues the slot's work; a timer
 * queues it, too, when something is due. What follows from them is in slot_machine.c. */
#include "hotplug.h"

#include <base/errno.h>
#include <debug/log.h>
#include <hw/pci.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <sync/spinlock.h>

#include "slot_machine.h"

#define MAX_MESSAGES 32u

static struct spinlock slots_lock = SPINLOCK_INITIALIZER("PCI slots");
static struct list slots = LIST_INITIALIZER(slots); /* [slots_lock] */

static void run(struct work *work)
{
    struct slot *slot = CONTAINER_OF(work, struct slot, work);
    uint64_t due_ns = slot_advance(slot);

    if (due_ns != 0)
        timer_set(&slot->timer, due_ns);
}

/* ---- interrupt, deferred work, timer ---- */

static enum irq_result interrupted(void *context)
{
    struct slot *slot = context;
    uint16_t events = slot_take_events(&slot->registers);

    if (events == 0)
        return IRQ_NOT_MINE;
    __atomic_fetch_or(&slot->events, events, __ATOMIC_RELEASE); /* pairs with step */
    if ((events & (LOST | PCI_SLOT_POWER_FAULT)) && __atomic_load_n(&slot->is_watched, __ATOMIC_ACQUIRE))
        deferred_queue(&slot->lost);
    work_queue(&slot->work);
    return IRQ_HANDLED;
}

static void mark_lost(struct deferred *deferred)
{
    struct slot *slot = CONTAINER_OF(deferred, struct slot, lost);

    if (__atomic_load_n(&slot->is_watched, __ATOMIC_ACQUIRE))
        device_mark_gone_behind(&slot->port->device);
}

static void timer_fired(struct timer *timer)
{
    work_queue(&CONTAINER_OF(timer, struct slot, timer)->work);
}

/* ---- probe and remove ---- */

static int request_interrupt(struct slot *slot)
{
    struct pci_handler handlers[MAX_MESSAGES];
    uint16_t capabilities = pci_read16(slot->port, slot->registers.at + PCI_EXPRESS_CAPABILITIES);
    unsigned nr = PCI_EXPRESS_MESSAGE(capabilities) + 1; /* with MSI-X it is the port that says which it is */
    int got;

    for (unsigned i = 0; i < nr; i++)
        handlers[i] = (struct pci_handler){.run = interrupted, .context = slot, .cpu = IRQ_ANY_CPU};
    got = pci_interrupts_request(slot->port, nr, handlers, "PCI slot");
    return got < 0 ? got : 0;
}

static void list_slot(struct slot *slot)
{
    uint64_t flags = spinlock_lock_irqsave(&slots_lock);

    list_add_last(&slots, &slot->link);
    spinlock_unlock_irqrestore(&slots_lock, flags);
}

static void unlist_slot(struct slot *slot)
{
    uint64_t flags = spinlock_lock_irqsave(&slots_lock);

    list_remove(&slot->link);
    spinlock_unlock_irqrestore(&slots_lock, flags);
}

static int probe(struct device *device)
{
    struct pci_device *port = CONTAINER_OF(device, struct pci_device, device);
    unsigned at = pci_hotplug_port(port);
    struct slot *slot;
    int error;

    if (at == 0)
        return -ENODEV;
    if (!port->behind) {
        log_warn("pci: %s: its slot cannot be used: it has no bus", device->name);
        return -ENODEV;
    }
    slot = kmalloc(sizeof(*slot), ALLOC_ZERO);
    if (!slot)
        return -ENOMEM;
    slot->port = port;
    slot_open(&slot->registers, port, at);
    slot->number = PCI_SLOT_NUMBER(slot->registers.capabilities);
    slot->work.run = run;
    timer_init(&slot->timer, timer_fired);
    slot->lost = (struct deferred)DEFERRED_INITIALIZER(mark_lost);
    error = request_interrupt(slot);
    if (error) {
        log_warn("pci: %s: slot %u has no interrupt: what comes and goes is not seen", device->name, slot->number);
        kfree(slot);
        return error;
    }
    device->driver_data = slot;
    list_slot(slot);
    slot_take_over(slot);
    return 0;
}

/* The port itself is unplugged: what was behind it has been removed. */
static void remove(struct device *device)
{
    struct slot *slot = device->driver_data;

    unlist_slot(slot);
    slot_want_events(&slot->registers, false);
    (void)slot_step(&slot->registers);
    pci_interrupts_release(slot->port);
    deferred_flush(&slot->lost);
    timer_cancel(&slot->timer);
    work_cancel(&slot->work);
    kfree(slot);
}

/* PCI-to-PCI bridges; probe tells which have a slot. */
static const struct pci_match matches[] = {
    {.vendor = PCI_ANY, .device = PCI_ANY, .class_code = 0x060400, .class_mask = 0xffff00}, {0}};

static struct driver driver = {.name = "pci-slot", .matches = matches, .probe = probe, .remove = remove};

void pci_hotplug_init(void)
{
    driver.bus = &pci_bus_type;
    driver_register(&driver);
}

/* ---- for the command ---- */

bool pci_slot_look(unsigned n, struct slot_figures *figures)
{
    uint64_t flags = spinlock_lock_irqsave(&slots_lock);
    struct slot *slot;
    bool is_found = false;

    list_for_each_entry (slot, &slots, link) {
        uint32_t request;

        is_found = n-- == 0;
        if (!is_found)
            continue;
        request = __atomic_load_n(&slot->request, __ATOMIC_ACQUIRE); /* before the state; pairs with on_request */
        *figures = (struct slot_figures){.number = slot->number,
                                         .state = __atomic_load_n(&slot->state, __ATOMIC_RELAXED),
                                         .is_occupied = slot_is_occupied(&slot->registers)};
        memcpy(figures->port, slot_port_name(slot), sizeof(figures->port));
        figures->is_settled = (figures->state == SLOT_EMPTY || figures->state == SLOT_ON) && request == REQUEST_NONE;
        break;
    }
    spinlock_unlock_irqrestore(&slots_lock, flags);
    return is_found;
}

bool pci_slot_switch(const char *port, bool is_on)
{
    uint64_t flags = spinlock_lock_irqsave(&slots_lock);
    struct slot *slot;
    bool is_found = false;

    list_for_each_entry (slot, &slots, link) {
        if (strcmp(slot_port_name(slot), port) != 0)
            continue;
        __atomic_store_n(&slot->request, is_on ? REQUEST_ON : REQUEST_OFF, __ATOMIC_RELEASE);
        work_queue(&slot->work);
        is_found = true;
    }
    spinlock_unlock_irqrestore(&slots_lock, flags);
    return is_found;
}
