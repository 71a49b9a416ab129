/* Slots into which devices are plugged while the kernel runs: native PCI Express hot-plug (PCI Express 6.0 6.7).
 *
 * The interrupt takes the events from the port and queues the slot's work; a timer queues it, too, when something is
 * due. The work is a state machine that never waits:
 *
 *   EMPTY --present, button, switched on--> STARTING --link--> SETTLING --answers--> ON
 *   STARTING, SETTLING --too late, taken out, switched off--> STOPPING
 *   ON --button--> GOING --5 s--> removed, STOPPING;   GOING --button--> ON
 *   ON, GOING --switched off--> removed, STOPPING;     ON, GOING --presence or link changed--> gone, removed, STOPPING
 *   STOPPING --power off, 1 s--> EMPTY, or STARTING when something was plugged in meanwhile
 *
 * H1: Devices of the slot are in the tree only in ON and GOING. SETTLING adds them; they are removed on the way out.
 *
 * H2: While they are (is_watched), a change of presence or link means that they are lost, even if something is there
 * again. Deferred work of the interrupt marks them gone, before the work comes to remove them.
 *
 * H3: The link goes down because power does. That alone starts nothing: in STOPPING only a change of presence tells
 * that something was plugged in, in EMPTY also a link that has come up.
 *
 * H4: A request that comes in STOPPING, or with a power fault, waits until power is off. */
#include "slot_machine.h"

#include <debug/log.h>
#include <hw/pci.h>
#include <time/clock.h>

#define CANCEL_NS    (5 * NS_PER_S)    /* 6.7.1.5: the button pressed again takes it back */
#define POWER_OFF_NS NS_PER_S          /* 6.7.1.8: until power is really off */
#define LINK_NS      (2 * NS_PER_S)    /* for the link to come up; 6.6.1 wants a second for the device alone */
#define SETTLE_NS    (100 * NS_PER_MS) /* 6.6.1: from link up to the first request */
#define ANSWER_NS    NS_PER_S          /* 6.6.1: a device may say for so long that it is not ready */
#define LOOK_NS      (10 * NS_PER_MS)  /* between two looks where no event tells */

/* ---- states ---- */

static void set_state(struct slot *slot, enum slot_state state, uint64_t delay_ns)
{
    __atomic_store_n(&slot->state, state, __ATOMIC_RELAXED); /* the command looks at it */
    slot->due_ns = delay_ns ? clock_now_ns() + delay_ns : 0;
}

static void watch(struct slot *slot, bool is_watched)
{
    __atomic_store_n(&slot->is_watched, is_watched, __ATOMIC_RELEASE);
}

static void start(struct slot *slot)
{
    slot_want(&slot->registers, true, SLOT_LIGHT_BLINKS, false);
    slot->give_up_ns = clock_now_ns() + LINK_NS;
    set_state(slot, SLOT_STARTING, LOOK_NS);
}

static void stop(struct slot *slot, bool has_failed)
{
    slot_want(&slot->registers, false, SLOT_LIGHT_OFF, has_failed);
    slot->is_replaced = false;
    set_state(slot, SLOT_STOPPING, 0); /* time counts from the command, which slot_advance writes */
}

static void fail(struct slot *slot, const char *why)
{
    log_error("pci: %s: slot %u: %s: switched off", slot_port_name(slot), slot->number, why);
    stop(slot, true);
}

static void remove_devices(struct slot *slot)
{
    pci_bus_empty(slot->port->behind);
    watch(slot, false);
}

static void vanish(struct slot *slot)
{
    log_warn("pci: %s: slot %u: what was in it has vanished", slot_port_name(slot), slot->number);
    deferred_flush(&slot->lost);                  /* not to hit what may come next */
    device_mark_gone_behind(&slot->port->device); /* where the interrupt has not, as for a power fault */
    remove_devices(slot);
    stop(slot, false);
    slot->is_replaced = slot_is_occupied(&slot->registers);
}

static void remove_orderly(struct slot *slot)
{
    remove_devices(slot);
    log_info("pci: %s: slot %u: may be taken out", slot_port_name(slot), slot->number);
    stop(slot, false);
}

/* The device may say for a while that it is not ready: by no answer at all, or by this vendor (2.3.1, CRS). */
static bool answers(const struct slot *slot)
{
    uint32_t id = pci_bus_read(slot->port->behind, 0, PCI_VENDOR_ID, sizeof(uint32_t));

    return (uint16_t)id != PCI_NO_VENDOR && (uint16_t)id != PCI_NOT_READY;
}

static void populate(struct slot *slot)
{
    watch(slot, true); /* before the first driver waits for the device */
    int found = pci_bus_populate(slot->port->behind);

    if (found < 0)
        log_error("pci: %s: slot %u: not all of it could be used, error %d", slot_port_name(slot), slot->number,
                  -found);
    else
        log_info("pci: %s: slot %u: %d functions plugged in", slot_port_name(slot), slot->number, found);
    slot_want(&slot->registers, true, SLOT_LIGHT_ON, false);
    set_state(slot, SLOT_ON, 0);
}

/* STARTING and SETTLING. */
static void look_for_device(struct slot *slot)
{
    uint64_t now_ns = clock_now_ns();

    if (!slot_is_occupied(&slot->registers)) {
        stop(slot, false);
    } else if (slot->state == SLOT_STARTING && slot_has_link(&slot->registers)) {
        slot->give_up_ns = now_ns + SETTLE_NS + ANSWER_NS;
        set_state(slot, SLOT_SETTLING, SETTLE_NS);
    } else if (slot->state == SLOT_SETTLING && now_ns < slot->due_ns) {
        return;
    } else if (slot->state == SLOT_SETTLING && answers(slot)) {
        populate(slot);
    } else if (now_ns >= slot->give_up_ns) {
        fail(slot, slot->state == SLOT_STARTING ? "no link comes up" : "the device does not answer");
    } else {
        set_state(slot, slot->state, LOOK_NS);
    }
}

/* ---- events ---- */

static void carry_out(struct slot *slot, enum request request)
{
    if (request == REQUEST_ON && slot->state == SLOT_EMPTY)
        start(slot);
    if (request != REQUEST_OFF)
        return;
    if (slot->state == SLOT_ON || slot->state == SLOT_GOING)
        remove_orderly(slot);
    else if (slot->state == SLOT_STARTING || slot->state == SLOT_SETTLING)
        stop(slot, false);
}

/* The request stays until it is carried out, so that pci_slot_look, on another CPU, does not take the slot of before
 * for that of afterwards. One that comes meanwhile queues the work again. */
static void on_request(struct slot *slot)
{
    /* Acquire: pairs with pci_slot_switch. */
    uint32_t request = __atomic_load_n(&slot->request, __ATOMIC_ACQUIRE);

    carry_out(slot, (enum request)request);
    /* Release: pairs with pci_slot_look, which sees the state with it. */
    __atomic_compare_exchange_n(&slot->request, &request, REQUEST_NONE, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

static void on_button(struct slot *slot)
{
    switch (slot->state) {
    case SLOT_ON:
        log_info("pci: %s: slot %u: button pressed: off in 5 s", slot_port_name(slot), slot->number);
        slot_want(&slot->registers, true, SLOT_LIGHT_BLINKS, false);
        set_state(slot, SLOT_GOING, CANCEL_NS);
        break;
    case SLOT_GOING:
        log_info("pci: %s: slot %u: button pressed again: stays on", slot_port_name(slot), slot->number);
        slot_want(&slot->registers, true, SLOT_LIGHT_ON, false);
        set_state(slot, SLOT_ON, 0);
        break;
    case SLOT_EMPTY:
        if (slot_is_occupied(&slot->registers))
            start(slot);
        break;
    default: /* under way already */
        break;
    }
}

/* Not in STARTING and SETTLING, which look for themselves. */
static void on_change(struct slot *slot, uint32_t events)
{
    bool has_presence_changed = events & PCI_SLOT_PRESENCE_CHANGE;
    bool is_occupied = slot_is_occupied(&slot->registers);

    if (slot->state == SLOT_ON || slot->state == SLOT_GOING)
        vanish(slot);
    else if (slot->state == SLOT_EMPTY && is_occupied && (has_presence_changed || slot_has_link(&slot->registers)))
        start(slot);
    else if (slot->state == SLOT_STOPPING && has_presence_changed)
        slot->is_replaced = is_occupied;
}

static void on_due(struct slot *slot)
{
    if (slot->state == SLOT_GOING)
        remove_orderly(slot);
    else if (slot->state == SLOT_STOPPING && slot->is_replaced && slot_is_occupied(&slot->registers))
        start(slot);
    else if (slot->state == SLOT_STOPPING)
        set_state(slot, SLOT_EMPTY, 0);
}

/* One look at everything that may have come. */
static void step(struct slot *slot)
{
    uint32_t events = __atomic_exchange_n(&slot->events, 0, __ATOMIC_ACQUIRE); /* pairs with interrupted */
    enum slot_state before = slot->state;

    if (events & PCI_SLOT_COMMAND_COMPLETED)
        slot_completed(&slot->registers);
    if (events & PCI_SLOT_POWER_FAULT) {
        if (slot->state == SLOT_ON || slot->state == SLOT_GOING)
            vanish(slot);
        fail(slot, "power fault");
        return;
    }
    if (slot->state == SLOT_STARTING || slot->state == SLOT_SETTLING)
        look_for_device(slot);
    else if (events & LOST)
        on_change(slot, events);
    if ((events & PCI_SLOT_BUTTON) && slot->state == before)
        on_button(slot);
    if (slot->due_ns != 0 && clock_now_ns() >= slot->due_ns)
        on_due(slot);
    if (slot->state != SLOT_STOPPING) /* H4 */
        on_request(slot);
}

/* What the boot scan found stays on; where it found nothing, power is off until something comes. */
void slot_take_over(struct slot *slot)
{
    bool is_used = !pci_bus_is_empty(slot->port->behind);

    slot_want(&slot->registers, is_used, is_used ? SLOT_LIGHT_ON : SLOT_LIGHT_OFF, false);
    slot_want_events(&slot->registers, true);
    if (is_used)
        set_state(slot, SLOT_ON, 0);
    else if (slot_is_occupied(&slot->registers))
        start(slot);
    else
        set_state(slot, SLOT_EMPTY, 0);
    watch(slot, is_used);
    work_queue(&slot->work);
}

uint64_t slot_advance(struct slot *slot)
{
    uint64_t command_ns, due_ns;

    step(slot);
    command_ns = slot_step(&slot->registers);
    if (slot->state == SLOT_STOPPING && slot->due_ns == 0 && command_ns == 0)
        slot->due_ns = clock_now_ns() + POWER_OFF_NS;
    due_ns = slot->due_ns;
    if (command_ns != 0 && (due_ns == 0 || command_ns < due_ns))
        due_ns = command_ns;
    return due_ns;
}
