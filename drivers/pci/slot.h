/* A slot's registers: events, power and indicators (PCI Express 6.0 6.7 and 7.5.3.9 to 11). */
#pragma once

#include "pci_internal.h"

#define SLOT_COMMAND_NS NS_PER_S /* 6.7.3.2: a command is completed, or has failed, after a second */

/* What is seen and what is commanded. A port that takes a while for a command is never waited for: what is wanted is
 * kept, and written by slot_step when the port is ready. */
struct slot_registers {
    struct pci_device *port;  /* [I] */
    unsigned at;              /* [I] its PCI Express capability */
    uint32_t capabilities;    /* [I] */
    uint16_t wanted, written; /* of the control register */
    bool is_busy;             /* with a command, ... */
    uint64_t busy_until_ns;   /* ... at most until then */
};

enum slot_light { SLOT_LIGHT_OFF, SLOT_LIGHT_ON, SLOT_LIGHT_BLINKS };

/* Reads what the firmware left; nothing is written yet. Events of before are forgotten. */
void slot_open(struct slot_registers *slot, struct pci_device *port, unsigned at);

/* The events since the last call (PCI_SLOT_BUTTON ...), which it clears; 0 for a port that is gone. The interrupt's
 * context calls it. Context: any but NMI. */
uint16_t slot_take_events(const struct slot_registers *slot);
/* Something is in the slot, as far as the port knows. False for a port that is gone. Context: any. */
bool slot_is_occupied(const struct slot_registers *slot);
/* Its link works; true for a port that does not report it. Context: any. */
bool slot_has_link(const struct slot_registers *slot);
bool slot_is_powered(const struct slot_registers *slot);

/* What it has no control of is left out. */
void slot_want(struct slot_registers *slot, bool power, enum slot_light light, bool attention);
void slot_want_events(struct slot_registers *slot, bool is_enabled);
/* The command was completed, says an event. */
void slot_completed(struct slot_registers *slot);
/* Writes what is wanted if the port is ready. Returns 0 when nothing is left to write, else when to come again at the
 * latest (clock_now_ns). */
uint64_t slot_step(struct slot_registers *slot);
