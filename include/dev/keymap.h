/* Keyboard layouts: which characters a key gives. Context: any. */
#pragma once

#include <base/types.h>

#define KEYMAP_KEYS 0x60u
#define KEYMAP_DEAD 0x8000u /* with a character: an accent that waits for its letter */

struct keymap {
    const char *name;
    bool has_level_3; /* the right Alt key is AltGr */
    uint16_t keypad_point;
    uint16_t keys[KEYMAP_KEYS][3]; /* by set 1 code: alone, with Shift, with AltGr; Unicode; 0 for none */
};

/* The layout of this name ("us", "de"); NULL where there is none. */
const struct keymap *keymap_find(const char *name);

/* The letter with the accent, or 0 where there is none. */
uint16_t keymap_compose(uint16_t accent, uint16_t letter);
