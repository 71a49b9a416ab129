/* The console's font, 8 by 16 pixels, made at build time (tools/font/pf2_to_c.py) from GRUB's unicode.pf2: GNU Unifont.
 */
#pragma once

#include <base/types.h>

#define FONT_COLUMNS     8
#define FONT_ROWS        16
#define FONT_ASCII_FIRST 0x20
#define FONT_ASCII_COUNT 95
#define FONT_REPLACEMENT 0xfffd

/* Rows from the top, bit 7 leftmost. Also read by the boot code's last words. */
extern const uint8_t font_ascii[FONT_ASCII_COUNT][FONT_ROWS];

/* The other characters: the glyph of first is font_others[position], and so on to last. Sorted by first. */
struct font_run {
    uint16_t first, last, position;
};
extern const uint8_t font_others[][FONT_ROWS];
extern const struct font_run font_runs[];
extern const unsigned font_nr_runs;

/* The FONT_ROWS rows of this character, or those of U+FFFD where the font has none. Context: any. */
const uint8_t *font_glyph(uint32_t character);
