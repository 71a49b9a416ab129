#include "i8042_model.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cpu/io.h>
#include <debug/log.h>
#include <debug/sysrq.h>
#include <dev/input.h>
#include <drivers/ps2_keyboard.h>
#include <hw/i8042.h>

#define KEYBOARD_TIMEOUT 0x40 /* in the status: the keyboard did not take the byte */

struct i8042_model model;
char typed[256], requested[16], said[2000];
struct console *registered;

static irq_handler handler;
static void *handler_context;

/* The device. */

static void put(uint8_t byte, uint8_t flags)
{
    assert_true(model.head - model.tail < I8042_MODEL_QUEUE);
    model.queue[model.head % I8042_MODEL_QUEUE].byte = byte;
    model.queue[model.head++ % I8042_MODEL_QUEUE].flags = flags;
}

/* The keys of these tests: set 2 to set 1. */
static uint8_t translate(uint8_t byte)
{
    static const uint8_t table[][2] = {{0x1c, 0x1e}, {0x32, 0x30}, {0x58, 0x3a}, {0x77, 0x45}, {0x11, 0x38},
                                       {0x84, 0x54}, {0x2c, 0x14}, {0x75, 0x48}, {0x5a, 0x1c}};

    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i][0] == byte)
            return table[i][1];
    return byte;
}

static void put_from_keyboard(uint8_t byte)
{
    if (model.config & I8042_CONFIG_KEYBOARD_OFF) {
        assert_true(model.nr_held < I8042_MODEL_QUEUE);
        model.held[model.nr_held++] = (char)byte;
        return;
    }
    if (model.has_mouse_noise)
        put(0x08, I8042_FROM_MOUSE);
    if (!(model.config & I8042_CONFIG_TRANSLATE)) {
        put(byte, 0);
    } else if (byte == 0xf0) {
        model.is_release = true;
    } else {
        put(translate(byte) | (model.is_release ? 0x80 : 0), 0);
        model.is_release = false;
    }
}

static void press(const char *keys)
{
    for (const char *key = keys; key && *key; key++)
        put_from_keyboard((uint8_t)*key);
}

static void set_config(uint8_t config)
{
    unsigned nr_held = model.nr_held;

    model.config = config;
    if (config & I8042_CONFIG_KEYBOARD_OFF)
        return;
    model.nr_held = 0;
    for (unsigned i = 0; i < nr_held; i++)
        put_from_keyboard((uint8_t)model.held[i]);
}

static void answer_reset(void)
{
    press(model.keys_at_reset);
    put_from_keyboard(PS2_ACKNOWLEDGE);
    put_from_keyboard(model.keyboard_self_test ? model.keyboard_self_test : PS2_RESET_GOOD);
    model.leds = 0;
    model.is_scanning = true;
}

static void to_keyboard(uint8_t byte)
{
    if (model.has_no_keyboard) {
        put(PS2_RESEND, KEYBOARD_TIMEOUT);
    } else if (model.is_keyboard_mute) {
        return;
    } else if (model.nr_resends > 0) {
        model.nr_resends--;
        put_from_keyboard(PS2_RESEND);
    } else if (model.keyboard_command == PS2_SET_LEDS) {
        model.keyboard_command = 0;
        model.leds = byte;
        put_from_keyboard(PS2_ACKNOWLEDGE);
    } else if (byte == PS2_RESET) {
        answer_reset();
    } else {
        model.nr_led_commands += byte == PS2_SET_LEDS;
        model.keyboard_command = byte == PS2_SET_LEDS ? byte : 0;
        put_from_keyboard(PS2_ACKNOWLEDGE);
    }
}

static void test_itself(void)
{
    if (model.nr_bad_self_tests > 0) {
        model.nr_bad_self_tests--;
        put(0xfc, 0);
        return;
    }
    set_config(model.tests_port_on ? 0x44 : 0x54); /* as after power-on */
    put(model.self_test ? model.self_test : I8042_SELF_TEST_GOOD, 0);
}

static void command(uint8_t byte)
{
    press(model.keys_all_along);
    switch (byte) {
    case I8042_READ_CONFIG:
        put(model.config, 0);
        break;
    case I8042_WRITE_CONFIG:
        model.controller_command = byte;
        break;
    case I8042_SELF_TEST:
        test_itself();
        break;
    case I8042_TEST_KEYBOARD:
        put(model.has_no_keyboard ? 3 : 0, 0);
        break;
    case I8042_DISABLE_KEYBOARD:
        set_config(model.config | I8042_CONFIG_KEYBOARD_OFF);
        break;
    case I8042_ENABLE_KEYBOARD:
        set_config(model.config & (uint8_t)~I8042_CONFIG_KEYBOARD_OFF);
        break;
    default:
        break;
    }
}

static void data(uint8_t byte)
{
    if (model.controller_command == I8042_WRITE_CONFIG) {
        model.controller_command = 0;
        set_config(byte & (uint8_t) ~(model.keeps_no_translation ? I8042_CONFIG_TRANSLATE : 0));
    } else {
        to_keyboard(byte);
    }
}

static uint8_t status(void)
{
    if (model.is_mute)
        return 0;
    return (uint8_t)((model.is_input_stuck ? I8042_INPUT_FULL : 0) |
                     (model.has_endless_output   ? I8042_OUTPUT_FULL
                      : model.head != model.tail ? I8042_OUTPUT_FULL | model.queue[model.tail % I8042_MODEL_QUEUE].flags
                                                 : 0));
}

uint8_t in8(uint16_t port)
{
    model.nr_accesses++;
    assert_true(port == I8042_STATUS || port == I8042_DATA);
    if (model.is_absent)
        return 0xff;
    if (port == I8042_STATUS)
        return status();
    if (model.has_endless_output || model.head == model.tail)
        return 0x1e;
    return model.queue[model.tail++ % I8042_MODEL_QUEUE].byte;
}

void out8(uint16_t port, uint8_t value)
{
    model.nr_accesses++;
    if (model.is_absent || model.is_mute || model.is_input_stuck)
        return;
    if (port == I8042_COMMAND)
        command(value);
    else
        data(value);
}

/* The kernel around the driver. */

int irq_request_isa(unsigned isa_irq, irq_handler function, void *context, const char *name, struct irq **irq)
{
    assert_int_equal(isa_irq, 1);
    if (model.has_no_interrupt)
        return -ENODEV;
    handler = function;
    handler_context = context;
    *irq = (struct irq *)&handler;
    return 0;
}

void irq_release(struct irq *irq)
{
    assert_ptr_equal(irq, &handler);
    handler = NULL;
}

enum irq_result model_interrupt(void)
{
    return handler(handler_context);
}

void model_interrupts(void)
{
    while (handler && !model.is_miswired && model.config & I8042_CONFIG_KEYBOARD_IRQ && model.head != model.tail)
        assert_int_equal(model_interrupt(), IRQ_HANDLED);
}

void console_register(struct console *console)
{
    registered = console;
}

static void append(char *text, size_t size, const char *bytes, size_t length)
{
    size_t at = strlen(text);

    assert_true(at + length < size);
    memcpy(text + at, bytes, length);
    text[at + length] = '\0';
}

void input_bytes(const char *bytes, size_t length)
{
    append(typed, sizeof(typed), bytes, length);
}

int input_try_read(void)
{
    return -EAGAIN;
}

void sysrq_ask(char letter)
{
    append(requested, sizeof(requested), &letter, 1);
}

void log_write(enum log_level level, const char *format, ...)
{
    size_t at = strlen(said);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(said + at, sizeof(said) - at, format, arguments);
    va_end(arguments);
    append(said, sizeof(said), "\n", 1);
}

void model_start(const struct i8042_model *with, const char *command_line)
{
    model = *with;
    model.config = 0x47; /* as firmware leaves it: translating, both interrupts on */
    for (unsigned i = 0; i < model.nr_stale; i++)
        put(0x1e, i % 3 ? 0 : I8042_FROM_MOUSE);
    typed[0] = requested[0] = said[0] = '\0';
    registered = NULL;
    handler = NULL;
    ps2_keyboard_init(command_line);
}

void model_keys(const char *set_2, size_t length)
{
    for (size_t i = 0; i < length; i++)
        put_from_keyboard((uint8_t)set_2[i]);
    model_interrupts();
}
