/* A model of a port with a slot, and the mocks of what its driver calls, so that a test says when an interrupt, a timer
 * or deferred work comes. */
#pragma once

#include <irq/deferred.h>
#include <time/timer.h>

#include "../../../drivers/pci/pci_internal.h"

#define SLOT_MODEL_AT     0x40u /* the PCI Express capability */
#define SLOT_MODEL_NUMBER 7u

struct slot_model {
    bool is_port_gone, completes; /* completes: it says when a command is completed */
    bool link_follows_power;      /* as that of a real port */
    uint32_t id_behind;           /* what function 0 in the slot answers */
    unsigned nr_control_writes;
    uint64_t power_off_ns; /* when power was last switched off */
    irq_handler handler;   /* the driver's; NULL when it has none */
    void *handler_context;
    uint64_t now_ns, timer_ns;
    struct timer *set_timer; /* for timer_ns */
    struct deferred *queued;
    unsigned nr_populated, nr_emptied, nr_behind;
    bool were_gone;   /* when last emptied */
    bool was_settled; /* as the command sees it, then */
    struct pci_bus root, secondary;
    struct pci_device port;
    struct device plugged; /* which the device model sees behind the port */
};

extern struct slot_model slot_model;

/* An empty slot with these PCI_SLOT_HAS_*, whose link is up. Forgets all that was before. */
void slot_model_set_up(uint32_t features);

/* The port's configuration space. */
uint32_t slot_model_get(unsigned offset, unsigned bytes);
void slot_model_set(unsigned offset, unsigned bytes, uint32_t value);

/* Events and facts come into the slot's status. */
void slot_model_event(uint16_t events);
/* The link comes up or goes down, with the event for it. */
void slot_model_link(bool is_up);
bool slot_model_is_on(void);
