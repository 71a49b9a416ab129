/* What is known of each slot, for the command. */
#pragma once

#include <dev/device.h>

enum slot_state {
    SLOT_EMPTY,    /* nothing in it, or switched off */
    SLOT_STARTING, /* power is on: waits for the link */
    SLOT_SETTLING, /* the link is up: waits until the device may be asked, and answers */
    SLOT_ON,
    SLOT_GOING,    /* the button was pressed: may be taken back for five seconds */
    SLOT_STOPPING, /* power is off: waits until it is gone */
};

struct slot_figures {
    char port[DEVICE_NAME_MAX];
    unsigned number;
    enum slot_state state;
    bool is_occupied;
    bool is_settled; /* nothing that was asked for is still under way */
};

/* Those of the n-th slot; false past the last. Context: thread. */
bool pci_slot_look(unsigned n, struct slot_figures *figures);
/* Asks for the slot of this port ("00:01.0") to be switched. False where there is none. Context: thread. */
bool pci_slot_switch(const char *port, bool is_on);
