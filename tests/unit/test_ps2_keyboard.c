/* The PS/2 driver against a model of the controller and what is behind it, right and wrong: whatever it does, each wait
 * ends, and what can be typed is typed. */
#include "support/i8042_model.h"

#include <string.h>

#include <dev/keyboard.h>
#include <hw/i8042.h>

/* Port accesses: as many as wait at most for one controller that does not answer, and one keyboard. */
#define ACCESSES_MAX (3ul * 200000 + 3ul * 2 * 1000000)

#define START(...) model_start(&(struct i8042_model){__VA_ARGS__}, "")
#define KEYS(text) model_keys(text, sizeof(text) - 1)

#define PRESS_A       "\x1c\xf0\x1c"
#define PRESS_B       "\x32\xf0\x32"
#define PRESS_CAPS    "\x58\xf0\x58"
#define PRESS_NUM     "\x77\xf0\x77"
#define PRESS_ENTER   "\x5a\xf0\x5a"
#define PRESS_UP      "\xe0\x75\xe0\xf0\x75"
#define PRESS_ALT     "\x11"
#define PRESS_SYSRQ_T "\x84\x2c\xf0\x2c\xf0\x84"
#define RELEASE_ALT   "\xf0\x11"

static void read_once(void)
{
    assert_non_null(registered);
    (void)registered->read(registered);
}

static void expect_typed(const char *wanted)
{
    assert_string_equal(typed, wanted);
    typed[0] = '\0';
}

static void types_by_interrupt(void **state)
{
    START();
    assert_non_null(strstr(said, "scan code set 1, layout us, interrupt"));
    assert_int_equal(model.config & 0x73, I8042_CONFIG_KEYBOARD_IRQ | I8042_CONFIG_TRANSLATE | I8042_CONFIG_MOUSE_OFF);
    assert_true(model.is_scanning);
    model_interrupts(); /* the LEDs' answers */
    read_once();
    assert_true(registered->wakes_reader);
    KEYS(PRESS_A PRESS_UP PRESS_ENTER);
    expect_typed("a\033[A\r");
    assert_null(strstr(said, "polled"));
    assert_true(model.nr_accesses < 2000);
}

static void set_2_where_it_does_not_translate(void **state)
{
    START(.keeps_no_translation = true);
    assert_non_null(strstr(said, "scan code set 2"));
    model_interrupts();
    KEYS(PRESS_A PRESS_CAPS PRESS_A PRESS_UP PRESS_CAPS);
    expect_typed("aA\033[A");
    KEYS(PRESS_ALT PRESS_SYSRQ_T RELEASE_ALT PRESS_B);
    assert_string_equal(requested, "t");
    expect_typed("b");
}

static void leds_follow_the_locks(void **state)
{
    START();
    model_interrupts();
    assert_int_equal(model.leds, 0);
    KEYS(PRESS_CAPS);
    assert_int_equal(model.leds, KEYBOARD_LED_CAPS);
    KEYS(PRESS_NUM PRESS_A);
    assert_int_equal(model.leds, KEYBOARD_LED_CAPS | KEYBOARD_LED_NUM);
    KEYS(PRESS_CAPS);
    assert_int_equal(model.leds, KEYBOARD_LED_NUM);
    expect_typed("A");
    model.nr_resends = 2;
    KEYS(PRESS_CAPS);
    assert_int_equal(model.leds, KEYBOARD_LED_CAPS | KEYBOARD_LED_NUM);
    assert_int_equal(model.nr_resends, 0);
}

/* Without LEDs one can type. */
static void a_keyboard_that_takes_no_leds(void **state)
{
    START();
    model_interrupts();
    model.nr_resends = 1000;
    KEYS(PRESS_CAPS PRESS_A PRESS_CAPS PRESS_A);
    expect_typed("Aa");
    assert_true(model.nr_resends > 990); /* given up after a few */
    START();
    model_interrupts();
    model.is_keyboard_mute = true;
    KEYS(PRESS_CAPS PRESS_A);
    expect_typed("A");
    START();
    model_interrupts();
    model.is_input_stuck = true;
    model.nr_accesses = 0;
    KEYS(PRESS_CAPS PRESS_A PRESS_CAPS PRESS_A);
    expect_typed("Aa");
    assert_true(model.nr_accesses < 300000); /* waited for once */
}

static void no_controller(void **state)
{
    START(.is_absent = true);
    assert_null(registered);
    assert_string_equal(said, "keyboard: this machine has no i8042\n");
    assert_true(model.nr_accesses < 10);
    START(.is_mute = true);
    assert_null(registered);
    assert_true(model.nr_accesses < 500000);
    START(.is_input_stuck = true);
    assert_null(registered);
    assert_true(model.nr_accesses < 500000);
}

static void bytes_without_end(void **state)
{
    START(.has_endless_output = true);
    assert_true(model.nr_accesses < ACCESSES_MAX);
    if (registered) {
        model.nr_accesses = 0;
        read_once();
        assert_true(model.nr_accesses < 1000);
    }
}

static void stale_bytes_are_nobodys(void **state)
{
    START(.nr_stale = 16);
    model_interrupts();
    KEYS(PRESS_A);
    expect_typed("a");
    assert_null(strstr(said, "self test"));
}

static void a_self_test_that_fails(void **state)
{
    START(.nr_bad_self_tests = 2);
    assert_null(strstr(said, "self test"));
    model_interrupts();
    KEYS(PRESS_A);
    expect_typed("a");
    START(.self_test = 0xfc);
    assert_non_null(strstr(said, "self test gives 0xfc; it is used all the same"));
    model_interrupts();
    KEYS(PRESS_B);
    expect_typed("b");
}

static void no_keyboard_yet(void **state)
{
    START(.has_no_keyboard = true);
    assert_non_null(strstr(said, "test of the port gives 3"));
    assert_non_null(strstr(said, "one that is plugged in later is heard"));
    assert_true(model.nr_accesses < ACCESSES_MAX);
    read_once();
    assert_true(registered->wakes_reader); /* there is nothing to be polled for */
    model.has_no_keyboard = false;
    KEYS("\xaa" PRESS_A);
    expect_typed("a");
    START(.is_keyboard_mute = true);
    assert_non_null(strstr(said, "none answers a reset"));
    assert_true(model.nr_accesses < ACCESSES_MAX);
    KEYS(PRESS_A);
    expect_typed("a");
}

static void a_keyboard_that_fails_its_test(void **state)
{
    START(.keyboard_self_test = 0xfc);
    assert_non_null(strstr(said, "none answers a reset (252)"));
    KEYS(PRESS_A);
    expect_typed("a");
}

static void bytes_have_to_be_sent_again(void **state)
{
    START(.nr_resends = 2);
    assert_null(strstr(said, "reset"));
    model_interrupts();
    KEYS(PRESS_A);
    expect_typed("a");
    START(.nr_resends = 1000);
    assert_non_null(strstr(said, "none answers a reset"));
    assert_true(model.nr_accesses < ACCESSES_MAX);
    KEYS(PRESS_A);
    expect_typed("a");
}

static void keys_pressed_during_boot(void **state)
{
    START(.keys_at_reset = "\x1c\xf0\x1c");
    assert_null(strstr(said, "none answers"));
    model_interrupts();
    KEYS(PRESS_B);
    expect_typed("b");
}

static void expect_only_a_typed(void)
{
    assert_int_equal(strspn(typed, "a"), strlen(typed));
    assert_true(strlen(typed) > 0);
    typed[0] = '\0';
    model.keys_all_along = NULL;
    model_interrupts();
    KEYS(PRESS_B);
    expect_typed("b");
}

/* A scan code is no answer of the controller's. */
static void keys_pressed_all_along(void **state)
{
    for (unsigned tests_port_on = 0; tests_port_on < 2; tests_port_on++) {
        START(.keys_all_along = PRESS_A, .tests_port_on = tests_port_on);
        assert_non_null(strstr(said, "scan code set 1, layout us, interrupt"));
        assert_int_equal(model.config,
                         0x04 | I8042_CONFIG_KEYBOARD_IRQ | I8042_CONFIG_TRANSLATE | I8042_CONFIG_MOUSE_OFF);
        expect_only_a_typed();
        START(.keys_all_along = PRESS_A, .tests_port_on = tests_port_on, .keeps_no_translation = true);
        assert_non_null(strstr(said, "scan code set 2, layout us, interrupt"));
        assert_int_equal(model.config, 0x04 | I8042_CONFIG_KEYBOARD_IRQ | I8042_CONFIG_MOUSE_OFF);
        expect_only_a_typed();
    }
}

static void a_mouse_between(void **state)
{
    START(.has_mouse_noise = true);
    assert_null(strstr(said, "none answers"));
    model_interrupts();
    KEYS(PRESS_A PRESS_CAPS PRESS_A PRESS_UP);
    expect_typed("aA\033[A");
    assert_int_equal(model.leds, KEYBOARD_LED_CAPS);
}

static void without_an_interrupt_it_is_polled(void **state)
{
    START(.has_no_interrupt = true);
    assert_non_null(strstr(said, "layout us, polled"));
    KEYS(PRESS_A);
    expect_typed("");
    read_once();
    expect_typed("a");
    assert_false(registered->wakes_reader);
    KEYS(PRESS_CAPS);
    read_once();
    read_once();
    assert_int_equal(model.leds, KEYBOARD_LED_CAPS);
}

/* The answer to setting the LEDs at boot gives it away. */
static void an_interrupt_that_never_comes(void **state)
{
    START(.is_miswired = true);
    read_once();
    assert_non_null(strstr(said, "it does not interrupt: it is polled"));
    assert_false(registered->wakes_reader);
    KEYS(PRESS_A);
    read_once();
    expect_typed("a");
    model.is_miswired = false; /* should it come after all */
    KEYS(PRESS_B);
    expect_typed("b");
    read_once();
    assert_true(registered->wakes_reader);
}

/* A byte taken in the handler of the one before it leaves its own interrupt without one; a second has no excuse. */
static void interrupts_without_a_byte(void **state)
{
    START();
    model_interrupts();
    KEYS(PRESS_UP);
    assert_int_equal(model_interrupt(), IRQ_HANDLED);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(model_interrupt(), IRQ_NOT_MINE);
}

static void layouts(void **state)
{
    model_start(&(struct i8042_model){0}, "keel.keymap=de");
    assert_non_null(strstr(said, "layout de"));
    model_start(&(struct i8042_model){0}, "keel.keymap=tlh");
    assert_non_null(strstr(said, "us and de are known; us is used"));
    assert_non_null(strstr(said, "layout us"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_by_interrupt),
        cmocka_unit_test(set_2_where_it_does_not_translate),
        cmocka_unit_test(leds_follow_the_locks),
        cmocka_unit_test(a_keyboard_that_takes_no_leds),
        cmocka_unit_test(no_controller),
        cmocka_unit_test(bytes_without_end),
        cmocka_unit_test(stale_bytes_are_nobodys),
        cmocka_unit_test(a_self_test_that_fails),
        cmocka_unit_test(no_keyboard_yet),
        cmocka_unit_test(a_keyboard_that_fails_its_test),
        cmocka_unit_test(bytes_have_to_be_sent_again),
        cmocka_unit_test(keys_pressed_during_boot),
        cmocka_unit_test(keys_pressed_all_along),
        cmocka_unit_test(a_mouse_between),
        cmocka_unit_test(without_an_interrupt_it_is_polled),
        cmocka_unit_test(an_interrupt_that_never_comes),
        cmocka_unit_test(interrupts_without_a_byte),
        cmocka_unit_test(layouts),
    };

    return cmocka_run_group_tests_name("drivers/ps2_keyboard", tests, NULL, NULL);
}
