/* A keyboard: which keys are held and what is typed with them, as a terminal would send it. Knows no device. Context:
 * any; the caller serializes. */
#pragma once

#include <base/types.h>
#include <dev/keymap.h>
#include <dev/scan_code.h>

#define KEYBOARD_BYTES_MAX 16u

/* As the command ED of a PS/2 keyboard wants them. */
#define KEYBOARD_LED_SCROLL 0x01u
#define KEYBOARD_LED_NUM    0x02u
#define KEYBOARD_LED_CAPS   0x04u

struct keyboard {
    const struct keymap *map;
    struct scan_decoder decoder;
    uint8_t held[32]; /* bits by key */
    uint8_t leds;
    uint16_t accent; /* typed, and waiting for its letter; 0 for none */
};

struct keyboard_output {
    char bytes[KEYBOARD_BYTES_MAX]; /* UTF-8, and xterm's sequences for keys without a character */
    uint8_t length;
    char sysrq; /* Alt and SysRq are held: this key was pressed; else 0 */
};

void keyboard_init(struct keyboard *keyboard, const struct keymap *map, enum scan_set set);

/* Takes a byte from the device and says what was typed with it. keyboard->leds may have changed. */
void keyboard_input(struct keyboard *keyboard, uint8_t byte, struct keyboard_output *output);

/* Codes were lost: no key is held as far as anybody knows. */
void keyboard_release_all(struct keyboard *keyboard);
