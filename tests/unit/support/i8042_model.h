/* An i8042 with a keyboard and a mouse, right or wrong in the ways the tests want, and the kernel around its driver. */
#pragma once

#include "unit.h"

#include <base/types.h>
#include <debug/console.h>
#include <irq/irq.h>

#define I8042_MODEL_QUEUE 256

struct i8042_model {
    /* Set before start. */
    bool is_absent;             /* reads 0xff */
    bool is_mute;               /* status 0: takes everything, says nothing */
    bool is_input_stuck;        /* never takes a byte */
    bool has_endless_output;    /* a byte at every look */
    bool keeps_no_translation;  /* the bit reads back 0: set 2 comes through */
    bool has_no_interrupt;      /* claiming it fails */
    bool is_miswired;           /* it is claimed, and never comes */
    bool has_mouse_noise;       /* a mouse byte before each of the keyboard's */
    unsigned nr_stale;          /* bytes left over from before */
    uint8_t self_test;          /* its answer; 0 for the right one */
    unsigned nr_bad_self_tests; /* so often 0xfc first */
    bool has_no_keyboard;       /* the controller says 0xfe with a timeout for each byte sent to it */
    bool is_keyboard_mute;      /* takes bytes, says nothing */
    unsigned nr_resends;        /* so often 0xfe for a byte sent to it, before it takes it */
    uint8_t keyboard_self_test; /* its answer; 0 for the right one */
    const char *keys_at_reset;  /* set 2 bytes that come before the answer to a reset */
    const char *keys_all_along; /* set 2 bytes of keys pressed as the controller gets each of its commands */
    bool tests_port_on;         /* its self test leaves the keyboard's port on */

    /* What has become of it. */
    uint8_t config, leds;
    bool is_scanning;
    unsigned nr_led_commands;
    unsigned long nr_accesses;

    /* Its own. */
    struct {
        uint8_t byte, flags;
    } queue[I8042_MODEL_QUEUE];
    unsigned head, tail;
    char held[I8042_MODEL_QUEUE]; /* what the keyboard keeps while its port is off, set 2 */
    unsigned nr_held;
    uint8_t controller_command, keyboard_command;
    bool is_release; /* F0 was seen, while it translates */
};

extern struct i8042_model model;
extern char typed[256];            /* by input_bytes */
extern char requested[16];         /* system requests */
extern char said[2000];            /* the log */
extern struct console *registered; /* NULL: none */

/* A machine with this model, and ps2_keyboard_init. */
void model_start(const struct i8042_model *with, const char *command_line);

/* Key presses and releases in set 2, as the keyboard sends them; delivered by interrupt where there is one. */
void model_keys(const char *set_2, size_t length);

/* Runs the handler while the device interrupts. */
void model_interrupts(void);

/* The handler, whether there is a reason or not. */
enum irq_result model_interrupt(void);
