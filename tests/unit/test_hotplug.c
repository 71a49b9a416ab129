/* The slot driver against a model of a port: what is plugged in, taken out with the button and without, and ports that
 * do not do what they should. Time is the test's; work runs when the test says so. */
#include "support/unit.h"

#include <stdio.h>
#include <string.h>

#include <base/errno.h>
#include <dev/work.h>
#include <hw/pci.h>
#include <irq/deferred.h>
#include <time/clock.h>
#include <time/timer.h>

#include "../../drivers/pci/hotplug.h"
#include "../../drivers/pci/pci_internal.h"
#include "support/plain_heap.h"

#define AT           0x40u
#define NUMBER       7u
#define ALL_FEATURES (PCI_SLOT_HAS_BUTTON | PCI_SLOT_HAS_POWER | PCI_SLOT_HAS_ATTENTION | PCI_SLOT_HAS_INDICATOR)

/* ---- the port ---- */

static uint8_t config[PCI_CONFIG_BYTES];
static bool is_port_gone, completes;
static uint32_t id_behind;
static unsigned nr_control_writes;

static uint32_t get(unsigned offset, unsigned bytes)
{
    uint32_t value = 0;

    memcpy(&value, config + offset, bytes);
    return value;
}

static void set(unsigned offset, unsigned bytes, uint32_t value)
{
    memcpy(config + offset, &value, bytes);
}

static uint32_t port_read(const struct pci_bus *bus, unsigned devfn, unsigned offset, unsigned bytes)
{
    if (bus->number == 1)
        return id_behind;
    return is_port_gone ? UINT32_MAX >> (32 - 8 * bytes) : get(offset, bytes);
}

static irq_handler handler;
static void *handler_context;

static void status_event(uint16_t events)
{
    set(AT + PCI_EXPRESS_SLOT_STATUS, 2, get(AT + PCI_EXPRESS_SLOT_STATUS, 2) | events);
}

static void port_write(const struct pci_bus *bus, unsigned devfn, unsigned offset, unsigned bytes, uint32_t value)
{
    if (offset == AT + PCI_EXPRESS_SLOT_STATUS) {
        set(offset, 2, get(offset, 2) & ~(value & 0x11f)); /* events are written 1 to clear */
        return;
    }
    set(offset, bytes, value);
    if (offset == AT + PCI_EXPRESS_SLOT_CONTROL) {
        nr_control_writes++;
        if (completes)
            status_event(PCI_SLOT_COMMAND_COMPLETED);
    }
}

static int port_open(struct pci_bus *bus)
{
    return 0;
}

static const struct pci_access access = {"a model", port_read, port_write, port_open, NULL};
static struct pci_bus root = {.access = &access, .config_bytes = PCI_CONFIG_BYTES},
                      secondary = {.access = &access, .config_bytes = PCI_CONFIG_BYTES, .number = 1};

/* ---- what is around the driver ---- */

static bool match_all(const struct device *device, const struct driver *driver)
{
    return true;
}

const struct bus pci_bus_type = {"pci", match_all};
static struct pci_device port;
static uint64_t now_ns, timer_ns;
static struct timer *set_timer;
static struct deferred *queued;
static unsigned nr_populated, nr_emptied, nr_behind;
static bool were_gone;

uint64_t clock_now_ns(void)
{
    return now_ns;
}

void timer_init(struct timer *timer, timer_function function)
{
    *timer = (struct timer){.function = function};
}

void timer_set(struct timer *timer, uint64_t deadline_ns)
{
    set_timer = timer;
    timer_ns = deadline_ns;
}

bool timer_cancel(struct timer *timer)
{
    set_timer = NULL;
    return true;
}

void deferred_queue(struct deferred *deferred)
{
    queued = deferred;
}

void deferred_flush(struct deferred *deferred)
{
    struct deferred *pending = queued;

    queued = NULL;
    if (pending)
        pending->run(pending);
}

int pci_interrupts_request(struct pci_device *device, unsigned wanted, const irq_handler *handlers,
                           void *const *contexts, const char *name)
{
    handler = handlers[wanted - 1];
    handler_context = contexts[wanted - 1];
    return 1;
}

void pci_interrupts_release(struct pci_device *device)
{
    handler = NULL;
}

/* One device, which the device model sees behind the port. */
static struct device plugged = {.name = "01:00.0", .parent = &port.device};
static const struct bus other_bus = {"other", match_all};

int pci_bus_populate(struct pci_bus *bus)
{
    plugged.bus = &other_bus;
    plugged.is_gone = false;
    assert_int_equal(device_add(&plugged), 0);
    nr_populated++;
    nr_behind = 1;
    return 1;
}

void pci_bus_empty(struct pci_bus *bus)
{
    assert_int_equal(nr_behind, 1);
    were_gone = device_is_gone(&plugged);
    device_remove(&plugged);
    nr_emptied++;
    nr_behind = 0;
}

bool pci_bus_is_empty(const struct pci_bus *bus)
{
    return nr_behind == 0;
}

/* ---- what the tests do ---- */

/* Interrupts and work until nothing is left. */
static void settle(void)
{
    for (int i = 0; i < 20; i++) {
        if (handler && handler(handler_context) == IRQ_HANDLED && queued)
            deferred_flush(queued);
        work_run();
    }
}

/* The next timer fires. */
static void pass_time(void)
{
    struct timer *timer = set_timer;

    assert_non_null(timer);
    set_timer = NULL;
    if (timer_ns > now_ns)
        now_ns = timer_ns;
    timer->function(timer);
    settle();
}

static enum slot_state state_now(void)
{
    struct slot_figures figures;

    assert_true(pci_slot_look(0, &figures));
    assert_int_equal(figures.number, NUMBER);
    return figures.state;
}

static void wait_for(enum slot_state state)
{
    for (int i = 0; i < 1000 && state_now() != state; i++)
        pass_time();
    assert_int_equal(state_now(), state);
}

static void put_in(void)
{
    id_behind = 0x10441af4;
    status_event(PCI_SLOT_IS_PRESENT | PCI_SLOT_PRESENCE_CHANGE | PCI_SLOT_BUTTON); /* as QEMU does */
}

static void take_out(void)
{
    id_behind = UINT32_MAX;
    set(AT + PCI_EXPRESS_SLOT_STATUS, 2, 0);
    status_event(PCI_SLOT_PRESENCE_CHANGE);
}

static void press_button(void)
{
    status_event(PCI_SLOT_BUTTON);
    settle();
}

static bool is_power_on(void)
{
    return !(get(AT + PCI_EXPRESS_SLOT_CONTROL, 2) & PCI_SLOT_POWER_OFF);
}

static uint32_t indicator(void)
{
    return get(AT + PCI_EXPRESS_SLOT_CONTROL, 2) & PCI_SLOT_INDICATOR_OFF;
}

static void make_port(uint32_t features)
{
    memset(config, 0, sizeof(config));
    set(PCI_STATUS, 2, PCI_STATUS_CAPABILITIES);
    set(PCI_CAPABILITIES, 1, AT);
    set(AT, 1, PCI_CAPABILITY_EXPRESS);
    set(AT + PCI_EXPRESS_CAPABILITIES, 2, PCI_EXPRESS_ROOT_PORT << 4 | PCI_EXPRESS_HAS_SLOT | 1 << 9);
    set(AT + PCI_EXPRESS_SLOT_CAPABILITIES, 4, features | PCI_SLOT_IS_HOTPLUG | NUMBER << 19);
    set(AT + PCI_EXPRESS_LINK_CAPABILITIES, 4, PCI_LINK_REPORTS_ACTIVE);
    set(AT + PCI_EXPRESS_LINK_STATUS, 2, PCI_LINK_ACTIVE);
    id_behind = UINT32_MAX;
    is_port_gone = false;
    completes = true;
    nr_populated = nr_emptied = nr_behind = nr_control_writes = 0;
    queued = NULL;
    set_timer = NULL;
}

static void add_port(void)
{
    port = (struct pci_device){.device = {.name = "00:08.0", .bus = &pci_bus_type},
                               .header_type = PCI_HEADER_BRIDGE,
                               .on = &root,
                               .behind = &secondary};
    assert_int_equal(device_add(&port.device), 0);
    assert_string_equal(device_driver_name(&port.device), "pci-slot");
    settle();
}

static int setup(void **state)
{
    make_port(ALL_FEATURES);
    return 0;
}

/* As an unplugged switch takes its ports along. */
static void remove_port_in_work(struct work *work)
{
    if (nr_behind)
        pci_bus_empty(&secondary);
    device_remove(&port.device);
}

static int teardown(void **state)
{
    static struct work work = {.run = remove_port_in_work};
    struct slot_figures figures;

    work_queue(&work);
    work_run();
    assert_null(handler);
    assert_null(set_timer);
    assert_false(pci_slot_look(0, &figures));
    assert_false(work_can_run());
    assert_int_equal(plain_heap_in_use(), 0);
    return 0;
}

/* ---- the tests ---- */

static void an_empty_slot_is_off_until_something_comes(void **state)
{
    add_port();
    assert_int_equal(state_now(), SLOT_EMPTY);
    assert_false(is_power_on());
    press_button();
    assert_int_equal(state_now(), SLOT_EMPTY);
    put_in();
    settle();
    assert_true(is_power_on());
    assert_int_equal(indicator(), PCI_SLOT_INDICATOR_BLINK);
    uint64_t begin_ns = now_ns;
    wait_for(SLOT_ON);
    assert_true(now_ns - begin_ns >= 100 * NS_PER_MS);
    assert_int_equal(nr_populated, 1);
    assert_int_equal(indicator(), PCI_SLOT_INDICATOR_ON);
}

static void what_is_there_at_boot_stays_on(void **state)
{
    put_in();
    nr_behind = 1; /* found by the boot scan */
    add_port();
    nr_behind = 0;
    assert_int_equal(state_now(), SLOT_ON);
    assert_true(is_power_on());
    assert_int_equal(nr_populated + nr_emptied, 0);
}

static void the_button_takes_it_out_after_five_seconds(void **state)
{
    an_empty_slot_is_off_until_something_comes(state);
    press_button();
    assert_int_equal(state_now(), SLOT_GOING);
    assert_int_equal(indicator(), PCI_SLOT_INDICATOR_BLINK);
    uint64_t begin_ns = now_ns;
    pass_time();
    assert_true(now_ns - begin_ns >= 5 * NS_PER_S);
    assert_int_equal(nr_emptied, 1);
    assert_false(were_gone);
    assert_false(is_power_on());
    take_out();
    wait_for(SLOT_EMPTY);
    put_in();
    settle();
    wait_for(SLOT_ON);
}

static void the_button_pressed_again_takes_it_back(void **state)
{
    an_empty_slot_is_off_until_something_comes(state);
    press_button();
    press_button();
    assert_int_equal(state_now(), SLOT_ON);
    assert_int_equal(indicator(), PCI_SLOT_INDICATOR_ON);
    now_ns += 10 * NS_PER_S;
    settle();
    assert_int_equal(nr_emptied, 0);
}

static void what_is_pulled_out_is_gone_before_it_is_removed(void **state)
{
    an_empty_slot_is_off_until_something_comes(state);
    take_out();
    assert_int_equal(handler(handler_context), IRQ_HANDLED);
    assert_non_null(queued);
    deferred_flush(queued);
    assert_true(device_is_gone(&plugged)); /* no work has run */
    assert_int_equal(nr_emptied, 0);
    settle();
    assert_int_equal(nr_emptied, 1);
    assert_true(were_gone);
    wait_for(SLOT_EMPTY);
}

static void what_is_replaced_at_once_is_another_device(void **state)
{
    an_empty_slot_is_off_until_something_comes(state);
    status_event(PCI_SLOT_PRESENCE_CHANGE); /* and something is there */
    settle();
    assert_true(were_gone);
    assert_int_equal(state_now(), SLOT_STOPPING);
    wait_for(SLOT_ON);
    assert_int_equal(nr_populated, 2);
}

static void a_link_that_does_not_come_up_is_given_up(void **state)
{
    set(AT + PCI_EXPRESS_LINK_STATUS, 2, 0);
    add_port();
    put_in();
    settle();
    uint64_t begin_ns = now_ns;
    wait_for(SLOT_STOPPING);
    assert_true(now_ns - begin_ns >= 2 * NS_PER_S && now_ns - begin_ns < 3 * NS_PER_S);
    assert_false(is_power_on());
    wait_for(SLOT_EMPTY);
    assert_int_equal(nr_populated, 0);
    assert_int_equal(get(AT + PCI_EXPRESS_SLOT_CONTROL, 2) & PCI_SLOT_ATTENTION_OFF, PCI_SLOT_ATTENTION_ON);
}

static void a_device_that_does_not_answer_is_given_up(void **state)
{
    add_port();
    put_in();
    id_behind = 0xffff0000u | PCI_NOT_READY;
    settle();
    wait_for(SLOT_SETTLING);
    wait_for(SLOT_STOPPING);
    wait_for(SLOT_EMPTY);
    assert_int_equal(nr_populated, 0);
}

static void a_power_fault_takes_it_out(void **state)
{
    an_empty_slot_is_off_until_something_comes(state);
    status_event(PCI_SLOT_POWER_FAULT);
    settle();
    assert_true(were_gone);
    assert_int_equal(nr_emptied, 1);
    assert_false(is_power_on());
    wait_for(SLOT_EMPTY);
}

/* The next command goes out after a second, and nobody has waited for it. */
static void a_port_that_completes_no_command(void **state)
{
    completes = false;
    add_port();
    unsigned before = nr_control_writes;
    put_in();
    settle();
    assert_int_equal(nr_control_writes, before);
    wait_for(SLOT_ON);
    for (int i = 0; i < 3 && set_timer; i++)
        pass_time();
    assert_true(is_power_on());
    assert_true(nr_control_writes > before);
}

static void a_slot_without_power_control_or_lights(void **state)
{
    make_port(PCI_SLOT_IS_SILENT);
    add_port();
    put_in();
    settle();
    wait_for(SLOT_ON);
    assert_int_equal(get(AT + PCI_EXPRESS_SLOT_CONTROL, 2) & (PCI_SLOT_INDICATORS | PCI_SLOT_POWER_OFF), 0);
    take_out();
    settle();
    wait_for(SLOT_EMPTY);
    assert_true(were_gone);
}

static void switched_off_and_on(void **state)
{
    an_empty_slot_is_off_until_something_comes(state);
    assert_false(pci_slot_switch("00:09.0", false));
    assert_true(pci_slot_switch("00:08.0", false));
    settle();
    assert_int_equal(nr_emptied, 1);
    assert_false(were_gone);
    wait_for(SLOT_EMPTY);
    assert_true(pci_slot_switch("00:08.0", true));
    settle();
    wait_for(SLOT_ON);
    assert_int_equal(nr_populated, 2);
}

static void a_port_that_is_gone_has_no_events(void **state)
{
    an_empty_slot_is_off_until_something_comes(state);
    is_port_gone = true;
    assert_int_equal(handler(handler_context), IRQ_NOT_MINE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_slot_is_off_until_something_comes),
        TEST(what_is_there_at_boot_stays_on),
        TEST(the_button_takes_it_out_after_five_seconds),
        TEST(the_button_pressed_again_takes_it_back),
        TEST(what_is_pulled_out_is_gone_before_it_is_removed),
        TEST(what_is_replaced_at_once_is_another_device),
        TEST(a_link_that_does_not_come_up_is_given_up),
        TEST(a_device_that_does_not_answer_is_given_up),
        TEST(a_power_fault_takes_it_out),
        TEST(a_port_that_completes_no_command),
        TEST(a_slot_without_power_control_or_lights),
        TEST(switched_off_and_on),
        TEST(a_port_that_is_gone_has_no_events),
    };

    pci_hotplug_init();
    work_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
