/* A slot's driver, in two parts: hotplug.c hears the port and the clock, slot_machine.c decides. */
#pragma once

#include <dev/work.h>
#include <irq/deferred.h>
#include <time/timer.h>

#include "hotplug.h"
#include "slot.h"

/* What must not happen while devices of the slot are in the tree. */
#define LOST (PCI_SLOT_PRESENCE_CHANGE | PCI_SLOT_LINK_CHANGE)

enum request { REQUEST_NONE, REQUEST_ON, REQUEST_OFF };

struct slot {
    struct pci_device *port; /* [I] */
    unsigned number;         /* [I] */
    struct slot_registers registers;
    enum slot_state state; /* [a] written by work only */
    uint64_t due_ns;       /* of the state; 0: nothing is */
    uint64_t give_up_ns;   /* of STARTING and SETTLING */
    bool is_replaced;      /* in STOPPING: something was plugged in */
    uint32_t events;       /* [a] taken from the port, not yet looked at */
    uint32_t request;      /* [a] enum request, until it is carried out */
    bool is_watched;       /* [a] */
    struct work work;
    struct timer timer;
    struct deferred lost;
    struct list link; /* [slots_lock] */
};

/* Begins with what the boot scan found. Context: init, work. */
void slot_take_over(struct slot *slot);
/* Looks at everything that may have come. Returns when to look again at the latest (clock_now_ns), 0: at the next
 * event. Context: work. */
uint64_t slot_advance(struct slot *slot);

static inline const char *slot_port_name(const struct slot *slot)
{
    return slot->port->device.name;
}
