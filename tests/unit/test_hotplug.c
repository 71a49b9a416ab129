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
#include "support/slot_model.h"

#define AT           SLOT_MODEL_AT
#define ALL_FEATURES (PCI_SLOT_HAS_BUTTON | PCI_SLOT_HAS_POWER | PCI_SLOT_HAS_ATTENTION | PCI_SLOT_HAS_INDICATOR)

/* ---- what the tests do ---- */

/* Interrupts and work until nothing is left. */
static void settle(void)
{
    for (int i = 0; i < 20; i++) {
        if (slot_model.handler && slot_model.handler(slot_model.handler_context) == IRQ_HANDLED && slot_model.queued)
            deferred_flush(slot_model.queued);
        work_run();
    }
}

/* The next timer fires. */
static void pass_time(void)
{
    struct timer *timer = slot_model.set_timer;

    assert_non_null(timer);
    slot_model.set_timer = NULL;
    if (slot_model.timer_ns > slot_model.now_ns)
        slot_model.now_ns = slot_model.timer_ns;
    timer->function(timer);
    settle();
}

static enum slot_state state_now(void)
{
    struct slot_figures figures;

    assert_true(pci_slot_look(0, &figures));
    assert_int_equal(figures.number, SLOT_MODEL_NUMBER);
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
    slot_model.id_behind = 0x10441af4;
    slot_model_event(PCI_SLOT_IS_PRESENT | PCI_SLOT_PRESENCE_CHANGE | PCI_SLOT_BUTTON); /* as QEMU does */
}

static void take_out(void)
{
    slot_model.id_behind = UINT32_MAX;
    slot_model_set(AT + PCI_EXPRESS_SLOT_STATUS, 2, 0);
    slot_model_event(PCI_SLOT_PRESENCE_CHANGE);
}

static void press_button(void)
{
    slot_model_event(PCI_SLOT_BUTTON);
    settle();
}

/* Off one step from now, and whatever passes afterwards. */
static void expect_off_for_good(void)
{
    assert_int_equal(state_now(), SLOT_STOPPING);
    pass_time();
    assert_int_equal(state_now(), SLOT_EMPTY);
    assert_false(slot_model_is_on());
    slot_model.now_ns += 10 * NS_PER_S;
    settle();
    assert_int_equal(state_now(), SLOT_EMPTY);
    assert_false(slot_model_is_on());
}

static void switch_slot(bool is_on)
{
    assert_true(pci_slot_switch("00:08.0", is_on));
    settle();
}

static uint32_t indicator(void)
{
    return slot_model_get(AT + PCI_EXPRESS_SLOT_CONTROL, 2) & PCI_SLOT_INDICATOR_OFF;
}

static void add_port(void)
{
    slot_model.port = (struct pci_device){.device = {.name = "00:08.0", .bus = &pci_bus_type},
                                          .header_type = PCI_HEADER_BRIDGE,
                                          .on = &slot_model.root,
                                          .behind = &slot_model.secondary};
    assert_int_equal(device_add(&slot_model.port.device), 0);
    assert_string_equal(device_driver_name(&slot_model.port.device), "pci-slot");
    settle();
}

static int setup(void **state)
{
    slot_model_set_up(ALL_FEATURES);
    return 0;
}

/* As an unplugged switch takes its ports along. */
static void remove_port_in_work(struct work *work)
{
    if (slot_model.nr_behind)
        pci_bus_empty(&slot_model.secondary);
    device_remove(&slot_model.port.device);
}

static int teardown(void **state)
{
    static struct work work = {.run = remove_port_in_work};
    struct slot_figures figures;

    work_queue(&work);
    work_run();
    assert_null(slot_model.handler);
    assert_null(slot_model.set_timer);
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
    assert_false(slot_model_is_on());
    press_button();
    assert_int_equal(state_now(), SLOT_EMPTY);
    put_in();
    settle();
    assert_true(slot_model_is_on());
    assert_int_equal(indicator(), PCI_SLOT_INDICATOR_BLINK);
    uint64_t begin_ns = slot_model.now_ns;
    wait_for(SLOT_ON);
    assert_true(slot_model.now_ns - begin_ns >= 100 * NS_PER_MS);
    assert_int_equal(slot_model.nr_populated, 1);
    assert_int_equal(indicator(), PCI_SLOT_INDICATOR_ON);
}

static void what_is_there_at_boot_stays_on(void **state)
{
    put_in();
    slot_model.nr_behind = 1; /* found by the boot scan */
    add_port();
    slot_model.nr_behind = 0;
    assert_int_equal(state_now(), SLOT_ON);
    assert_true(slot_model_is_on());
    assert_int_equal(slot_model.nr_populated + slot_model.nr_emptied, 0);
}

static void the_button_takes_it_out_after_five_seconds(void **state)
{
    an_empty_slot_is_off_until_something_comes(state);
    press_button();
    assert_int_equal(state_now(), SLOT_GOING);
    assert_int_equal(indicator(), PCI_SLOT_INDICATOR_BLINK);
    uint64_t begin_ns = slot_model.now_ns;
    pass_time();
    assert_true(slot_model.now_ns - begin_ns >= 5 * NS_PER_S);
    assert_int_equal(slot_model.nr_emptied, 1);
    assert_false(slot_model.were_gone);
    assert_false(slot_model_is_on());
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
    slot_model.now_ns += 10 * NS_PER_S;
    settle();
    assert_int_equal(slot_model.nr_emptied, 0);
}

static void what_is_pulled_out_is_gone_before_it_is_removed(void **state)
{
    an_empty_slot_is_off_until_something_comes(state);
    take_out();
    assert_int_equal(slot_model.handler(slot_model.handler_context), IRQ_HANDLED);
    assert_non_null(slot_model.queued);
    deferred_flush(slot_model.queued);
    assert_true(device_is_gone(&slot_model.plugged)); /* no work has run */
    assert_int_equal(slot_model.nr_emptied, 0);
    settle();
    assert_int_equal(slot_model.nr_emptied, 1);
    assert_true(slot_model.were_gone);
    wait_for(SLOT_EMPTY);
}

static void what_is_replaced_at_once_is_another_device(void **state)
{
    an_empty_slot_is_off_until_something_comes(state);
    slot_model_event(PCI_SLOT_PRESENCE_CHANGE); /* and something is there */
    settle();
    assert_true(slot_model.were_gone);
    assert_int_equal(state_now(), SLOT_STOPPING);
    wait_for(SLOT_ON);
    assert_int_equal(slot_model.nr_populated, 2);
}

static void a_link_that_does_not_come_up_is_given_up(void **state)
{
    slot_model_set(AT + PCI_EXPRESS_LINK_STATUS, 2, 0);
    add_port();
    put_in();
    settle();
    uint64_t begin_ns = slot_model.now_ns;
    wait_for(SLOT_STOPPING);
    assert_true(slot_model.now_ns - begin_ns >= 2 * NS_PER_S && slot_model.now_ns - begin_ns < 3 * NS_PER_S);
    assert_false(slot_model_is_on());
    wait_for(SLOT_EMPTY);
    assert_int_equal(slot_model.nr_populated, 0);
    assert_int_equal(slot_model_get(AT + PCI_EXPRESS_SLOT_CONTROL, 2) & PCI_SLOT_ATTENTION_OFF, PCI_SLOT_ATTENTION_ON);
}

static void a_device_that_does_not_answer_is_given_up(void **state)
{
    add_port();
    put_in();
    slot_model.id_behind = 0xffff0000u | PCI_NOT_READY;
    settle();
    wait_for(SLOT_SETTLING);
    wait_for(SLOT_STOPPING);
    wait_for(SLOT_EMPTY);
    assert_int_equal(slot_model.nr_populated, 0);
}

static void a_power_fault_takes_it_out(void **state)
{
    an_empty_slot_is_off_until_something_comes(state);
    slot_model_event(PCI_SLOT_POWER_FAULT);
    settle();
    assert_true(slot_model.were_gone);
    assert_int_equal(slot_model.nr_emptied, 1);
    assert_false(slot_model_is_on());
    wait_for(SLOT_EMPTY);
}

/* The next command goes out after a second, and nobody has waited for it. */
static void a_port_that_completes_no_command(void **state)
{
    slot_model.completes = false;
    add_port();
    unsigned before = slot_model.nr_control_writes;
    put_in();
    settle();
    assert_int_equal(slot_model.nr_control_writes, before);
    wait_for(SLOT_ON);
    for (int i = 0; i < 3 && slot_model.set_timer; i++)
        pass_time();
    assert_true(slot_model_is_on());
    assert_true(slot_model.nr_control_writes > before);
}

static void a_slot_without_power_control_or_lights(void **state)
{
    slot_model_set_up(PCI_SLOT_IS_SILENT);
    add_port();
    put_in();
    settle();
    wait_for(SLOT_ON);
    assert_int_equal(slot_model_get(AT + PCI_EXPRESS_SLOT_CONTROL, 2) & (PCI_SLOT_INDICATORS | PCI_SLOT_POWER_OFF), 0);
    take_out();
    settle();
    wait_for(SLOT_EMPTY);
    assert_true(slot_model.were_gone);
}

static void switched_off_and_on(void **state)
{
    an_empty_slot_is_off_until_something_comes(state);
    assert_false(pci_slot_switch("00:09.0", false));
    assert_true(pci_slot_switch("00:08.0", false));
    settle();
    assert_int_equal(slot_model.nr_emptied, 1);
    assert_false(slot_model.were_gone || slot_model.was_settled);
    wait_for(SLOT_EMPTY);
    assert_true(pci_slot_switch("00:08.0", true));
    settle();
    wait_for(SLOT_ON);
    assert_int_equal(slot_model.nr_populated, 2);
}

static void a_link_that_goes_down_with_the_power_starts_nothing(void **state)
{
    slot_model.link_follows_power = true;
    an_empty_slot_is_off_until_something_comes(state);
    switch_slot(false);
    assert_int_equal(slot_model_get(AT + PCI_EXPRESS_LINK_STATUS, 2), 0);
    expect_off_for_good();
    assert_int_equal(slot_model.nr_populated, 1);
}

static void a_link_that_goes_down_late_starts_nothing(void **state)
{
    an_empty_slot_is_off_until_something_comes(state);
    switch_slot(false);
    wait_for(SLOT_EMPTY);
    slot_model_link(false);
    settle();
    assert_int_equal(state_now(), SLOT_EMPTY);
    slot_model_link(true); /* of a slot without power control, where something else is plugged in */
    settle();
    wait_for(SLOT_ON);
}

static void a_device_that_has_a_link_and_does_not_answer_is_tried_once(void **state)
{
    slot_model.link_follows_power = true;
    add_port();
    put_in();
    slot_model.id_behind = 0xffff0000u | PCI_NOT_READY;
    settle();
    wait_for(SLOT_SETTLING);
    wait_for(SLOT_STOPPING);
    expect_off_for_good();
}

static void what_is_plugged_in_while_power_goes_off_is_started(void **state)
{
    slot_model.link_follows_power = true;
    an_empty_slot_is_off_until_something_comes(state);
    switch_slot(false);
    take_out();
    settle();
    put_in();
    settle();
    assert_int_equal(state_now(), SLOT_STOPPING);
    wait_for(SLOT_ON);
    assert_int_equal(slot_model.nr_populated, 2);
}

static void switched_off_before_the_link_is_up(void **state)
{
    slot_model_set(AT + PCI_EXPRESS_LINK_STATUS, 2, 0);
    add_port();
    put_in();
    settle();
    assert_int_equal(state_now(), SLOT_STARTING);
    switch_slot(false);
    expect_off_for_good();
    assert_int_equal(slot_model_get(AT + PCI_EXPRESS_SLOT_CONTROL, 2) & PCI_SLOT_ATTENTION_OFF, PCI_SLOT_ATTENTION_OFF);
}

static void switched_off_before_the_device_answers(void **state)
{
    slot_model.link_follows_power = true;
    add_port();
    put_in();
    settle();
    wait_for(SLOT_SETTLING);
    switch_slot(false);
    expect_off_for_good();
    assert_int_equal(slot_model.nr_populated, 0);
}

/* What has come instead would be started when power has been off for long enough. */
static void switched_off_and_on_while_power_goes_off(void **state)
{
    an_empty_slot_is_off_until_something_comes(state);
    slot_model_event(PCI_SLOT_PRESENCE_CHANGE);
    settle();
    assert_int_equal(state_now(), SLOT_STOPPING);
    switch_slot(false);
    wait_for(SLOT_EMPTY);
    assert_int_equal(slot_model.nr_populated, 1);
    switch_slot(true);
    wait_for(SLOT_ON);
    switch_slot(false);
    assert_int_equal(state_now(), SLOT_STOPPING);
    switch_slot(true);
    wait_for(SLOT_ON);
    assert_int_equal(slot_model.nr_populated, 3);
}

static void what_is_asked_for_during_a_power_fault_is_done(void **state)
{
    an_empty_slot_is_off_until_something_comes(state);
    slot_model_event(PCI_SLOT_POWER_FAULT);
    switch_slot(true);
    assert_int_equal(slot_model.nr_emptied, 1);
    assert_int_equal(state_now(), SLOT_STOPPING);
    wait_for(SLOT_ON);
    slot_model_event(PCI_SLOT_POWER_FAULT);
    switch_slot(false);
    wait_for(SLOT_EMPTY);
    assert_int_equal(slot_model.nr_populated, 2);
}

/* The command before keeps the port busy for a second. */
static void power_is_off_for_a_second_after_the_command(void **state)
{
    an_empty_slot_is_off_until_something_comes(state);
    slot_model.completes = false;
    press_button();
    switch_slot(false);
    assert_int_equal(state_now(), SLOT_STOPPING);
    assert_true(slot_model_is_on());
    wait_for(SLOT_EMPTY);
    assert_false(slot_model_is_on());
    assert_true(slot_model.now_ns - slot_model.power_off_ns >= NS_PER_S);
}

static void a_port_that_is_gone_has_no_events(void **state)
{
    an_empty_slot_is_off_until_something_comes(state);
    slot_model.is_port_gone = true;
    assert_int_equal(slot_model.handler(slot_model.handler_context), IRQ_NOT_MINE);
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
        TEST(a_link_that_goes_down_with_the_power_starts_nothing),
        TEST(a_link_that_goes_down_late_starts_nothing),
        TEST(a_device_that_has_a_link_and_does_not_answer_is_tried_once),
        TEST(what_is_plugged_in_while_power_goes_off_is_started),
        TEST(switched_off_before_the_link_is_up),
        TEST(switched_off_before_the_device_answers),
        TEST(switched_off_and_on_while_power_goes_off),
        TEST(what_is_asked_for_during_a_power_fault_is_done),
        TEST(power_is_off_for_a_second_after_the_command),
        TEST(a_port_that_is_gone_has_no_events),
    };

    pci_hotplug_init();
    work_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
