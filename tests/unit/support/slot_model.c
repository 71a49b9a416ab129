#include "slot_model.h"

#include <string.h>

#include <hw/pci.h>
#include <time/clock.h>

#include "../../../drivers/pci/hotplug.h"
#include "unit.h"

#define AT SLOT_MODEL_AT

struct slot_model slot_model;

/* ---- the port ---- */

static uint8_t config[PCI_CONFIG_BYTES];

uint32_t slot_model_get(unsigned offset, unsigned bytes)
{
    uint32_t value = 0;

    memcpy(&value, config + offset, bytes);
    return value;
}

void slot_model_set(unsigned offset, unsigned bytes, uint32_t value)
{
    memcpy(config + offset, &value, bytes);
}

static uint32_t port_read(const struct pci_bus *bus, unsigned devfn, unsigned offset, unsigned bytes)
{
    if (bus->number == 1)
        return slot_model.id_behind;
    return slot_model.is_port_gone ? UINT32_MAX >> (32 - 8 * bytes) : slot_model_get(offset, bytes);
}

void slot_model_event(uint16_t events)
{
    slot_model_set(AT + PCI_EXPRESS_SLOT_STATUS, 2, slot_model_get(AT + PCI_EXPRESS_SLOT_STATUS, 2) | events);
}

bool slot_model_is_on(void)
{
    return !(slot_model_get(AT + PCI_EXPRESS_SLOT_CONTROL, 2) & PCI_SLOT_POWER_OFF);
}

void slot_model_link(bool is_up)
{
    bool was_up = slot_model_get(AT + PCI_EXPRESS_LINK_STATUS, 2) & PCI_LINK_ACTIVE;

    slot_model_set(AT + PCI_EXPRESS_LINK_STATUS, 2, is_up ? PCI_LINK_ACTIVE : 0);
    if (is_up != was_up)
        slot_model_event(PCI_SLOT_LINK_CHANGE);
}

static void write_control(uint32_t value)
{
    bool was_on = slot_model_is_on();

    slot_model_set(AT + PCI_EXPRESS_SLOT_CONTROL, 2, value);
    slot_model.nr_control_writes++;
    if (was_on && !slot_model_is_on())
        slot_model.power_off_ns = slot_model.now_ns;
    if (slot_model.link_follows_power)
        slot_model_link(slot_model_is_on() && (slot_model_get(AT + PCI_EXPRESS_SLOT_STATUS, 2) & PCI_SLOT_IS_PRESENT));
    if (slot_model.completes)
        slot_model_event(PCI_SLOT_COMMAND_COMPLETED);
}

static void port_write(const struct pci_bus *bus, unsigned devfn, unsigned offset, unsigned bytes, uint32_t value)
{
    if (offset == AT + PCI_EXPRESS_SLOT_STATUS) {
        slot_model_set(offset, 2, slot_model_get(offset, 2) & ~(value & 0x11f)); /* events are written 1 to clear */
        return;
    }
    if (offset == AT + PCI_EXPRESS_SLOT_CONTROL)
        write_control(value);
    else
        slot_model_set(offset, bytes, value);
}

static int port_open(struct pci_bus *bus)
{
    return 0;
}

static const struct pci_access access = {"a model", port_read, port_write, port_open, NULL};

/* ---- what is around the driver ---- */

static bool match_all(const struct device *device, const struct driver *driver)
{
    return true;
}

const struct bus pci_bus_type = {"pci", match_all};

uint64_t clock_now_ns(void)
{
    return slot_model.now_ns;
}

void timer_init(struct timer *timer, timer_function function)
{
    *timer = (struct timer){.function = function};
}

void timer_set(struct timer *timer, uint64_t deadline_ns)
{
    slot_model.set_timer = timer;
    slot_model.timer_ns = deadline_ns;
}

bool timer_cancel(struct timer *timer)
{
    slot_model.set_timer = NULL;
    return true;
}

void deferred_queue(struct deferred *deferred)
{
    slot_model.queued = deferred;
}

void deferred_flush(struct deferred *deferred)
{
    struct deferred *pending = slot_model.queued;

    slot_model.queued = NULL;
    if (pending)
        pending->run(pending);
}

int pci_interrupts_request(struct pci_device *device, unsigned wanted, const struct pci_handler *handlers,
                           const char *name)
{
    slot_model.handler = handlers[wanted - 1].run;
    slot_model.handler_context = handlers[wanted - 1].context;
    return 1;
}

void pci_interrupts_release(struct pci_device *device)
{
    slot_model.handler = NULL;
}

static const struct bus other_bus = {"other", match_all};

int pci_bus_populate(struct pci_bus *bus)
{
    slot_model.plugged.bus = &other_bus;
    slot_model.plugged.is_gone = false;
    assert_int_equal(device_add(&slot_model.plugged), 0);
    slot_model.nr_populated++;
    slot_model.nr_behind = 1;
    return 1;
}

void pci_bus_empty(struct pci_bus *bus)
{
    struct slot_figures figures;

    assert_int_equal(slot_model.nr_behind, 1);
    slot_model.was_settled = pci_slot_look(0, &figures) && figures.is_settled;
    slot_model.were_gone = device_is_gone(&slot_model.plugged);
    device_remove(&slot_model.plugged);
    slot_model.nr_emptied++;
    slot_model.nr_behind = 0;
}

bool pci_bus_is_empty(const struct pci_bus *bus)
{
    return slot_model.nr_behind == 0;
}

void slot_model_set_up(uint32_t features)
{
    slot_model = (struct slot_model){
        .completes = true,
        .id_behind = UINT32_MAX,
        .root = {.access = &access, .config_bytes = PCI_CONFIG_BYTES},
        .secondary = {.access = &access, .config_bytes = PCI_CONFIG_BYTES, .number = 1},
        .plugged = {.name = "01:00.0", .parent = &slot_model.port.device},
    };
    memset(config, 0, sizeof(config));
    slot_model_set(PCI_STATUS, 2, PCI_STATUS_CAPABILITIES);
    slot_model_set(PCI_CAPABILITIES, 1, AT);
    slot_model_set(AT, 1, PCI_CAPABILITY_EXPRESS);
    slot_model_set(AT + PCI_EXPRESS_CAPABILITIES, 2, PCI_EXPRESS_ROOT_PORT << 4 | PCI_EXPRESS_HAS_SLOT | 1 << 9);
    slot_model_set(AT + PCI_EXPRESS_SLOT_CAPABILITIES, 4, features | PCI_SLOT_IS_HOTPLUG | SLOT_MODEL_NUMBER << 19);
    slot_model_set(AT + PCI_EXPRESS_LINK_CAPABILITIES, 4, PCI_LINK_REPORTS_ACTIVE);
    slot_model_set(AT + PCI_EXPRESS_LINK_STATUS, 2, PCI_LINK_ACTIVE);
}
