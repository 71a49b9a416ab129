#include "slot.h"

#include <hw/pci.h>
#include <time/clock.h>

#define EVENTS                                                                                        \
    (PCI_SLOT_BUTTON | PCI_SLOT_POWER_FAULT | PCI_SLOT_PRESENCE_CHANGE | PCI_SLOT_COMMAND_COMPLETED | \
     PCI_SLOT_LINK_CHANGE)
#define ENABLED_BELOW (PCI_SLOT_BUTTON | PCI_SLOT_POWER_FAULT | PCI_SLOT_PRESENCE_CHANGE | PCI_SLOT_COMMAND_COMPLETED)
#define MAX_LOOKS     8 /* a port that always has another event is heard again at the next interrupt */

static uint16_t read_status(const struct slot_registers *slot)
{
    return pci_read16(slot->port, slot->at + PCI_EXPRESS_SLOT_STATUS);
}

void slot_open(struct slot_registers *slot, struct pci_device *port, unsigned at)
{
    *slot = (struct slot_registers){
        .port = port, .at = at, .capabilities = pci_read32(port, at + PCI_EXPRESS_SLOT_CAPABILITIES)};
    slot->written = pci_read16(port, at + PCI_EXPRESS_SLOT_CONTROL);
    slot->wanted = slot->written;
    (void)slot_take_events(slot);
}

uint16_t slot_take_events(const struct slot_registers *slot)
{
    uint16_t events = 0;

    /* An interrupt by message comes only when there was no event before: look until there is none (6.7.3.4). */
    for (unsigned i = 0; i < MAX_LOOKS; i++) {
        uint16_t status = read_status(slot);

        if (status == UINT16_MAX || !(status & EVENTS))
            break;
        pci_write16(slot->port, slot->at + PCI_EXPRESS_SLOT_STATUS, status & EVENTS);
        events |= status & EVENTS;
    }
    return events;
}

bool slot_is_occupied(const struct slot_registers *slot)
{
    uint16_t status = read_status(slot);

    return status != UINT16_MAX && (status & PCI_SLOT_IS_PRESENT);
}

bool slot_has_link(const struct slot_registers *slot)
{
    uint16_t status = pci_read16(slot->port, slot->at + PCI_EXPRESS_LINK_STATUS);

    if (!(pci_read32(slot->port, slot->at + PCI_EXPRESS_LINK_CAPABILITIES) & PCI_LINK_REPORTS_ACTIVE))
        return true;
    return status != UINT16_MAX && (status & PCI_LINK_ACTIVE);
}

bool slot_is_powered(const struct slot_registers *slot)
{
    return !(slot->capabilities & PCI_SLOT_HAS_POWER) || !(slot->wanted & PCI_SLOT_POWER_OFF);
}

void slot_want(struct slot_registers *slot, bool power, enum slot_light light, bool attention)
{
    static const uint16_t lights[] = {[SLOT_LIGHT_OFF] = PCI_SLOT_INDICATOR_OFF,
                                      [SLOT_LIGHT_ON] = PCI_SLOT_INDICATOR_ON,
                                      [SLOT_LIGHT_BLINKS] = PCI_SLOT_INDICATOR_BLINK};
    uint16_t wanted = slot->wanted & (uint16_t) ~(PCI_SLOT_INDICATORS | PCI_SLOT_POWER_OFF);

    if (slot->capabilities & PCI_SLOT_HAS_INDICATOR)
        wanted |= lights[light];
    if (slot->capabilities & PCI_SLOT_HAS_ATTENTION)
        wanted |= attention ? PCI_SLOT_ATTENTION_ON : PCI_SLOT_ATTENTION_OFF;
    if ((slot->capabilities & PCI_SLOT_HAS_POWER) && !power)
        wanted |= PCI_SLOT_POWER_OFF;
    slot->wanted = wanted;
}

void slot_want_events(struct slot_registers *slot, bool is_enabled)
{
    const uint16_t all = ENABLED_BELOW | PCI_SLOT_ENABLE_INTERRUPT | PCI_SLOT_ENABLE_LINK_CHANGE;

    slot->wanted &= (uint16_t)~all;
    if (is_enabled)
        slot->wanted |= all;
    if (!(slot->capabilities & PCI_SLOT_HAS_BUTTON))
        slot->wanted &= (uint16_t)~PCI_SLOT_BUTTON;
    if (!(slot->capabilities & PCI_SLOT_HAS_POWER))
        slot->wanted &= (uint16_t)~PCI_SLOT_POWER_FAULT;
    if (slot->capabilities & PCI_SLOT_IS_SILENT)
        slot->wanted &= (uint16_t)~PCI_SLOT_COMMAND_COMPLETED;
}

void slot_completed(struct slot_registers *slot)
{
    slot->is_busy = false;
}

uint64_t slot_step(struct slot_registers *slot)
{
    uint64_t now_ns = clock_now_ns();

    if (slot->wanted == slot->written)
        return 0;
    if (slot->is_busy && now_ns < slot->busy_until_ns)
        return slot->busy_until_ns;
    /* Busy before the write: its completion may interrupt at once. */
    slot->is_busy = !(slot->capabilities & PCI_SLOT_IS_SILENT);
    slot->busy_until_ns = now_ns + SLOT_COMMAND_NS;
    slot->written = slot->wanted;
    pci_write16(slot->port, slot->at + PCI_EXPRESS_SLOT_CONTROL, slot->written);
    return 0;
}
