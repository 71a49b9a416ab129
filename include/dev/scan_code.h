/* Keyboard scan codes to keys, for sets 1 and 2 (IBM PS/2 Technical Reference, Keyboards, "Scan Codes"). A key's number
 * is its set 1 make code, with 0x80 where that has the prefix E0. Bytes that make no sense are dropped: the next one
 * that begins a code is understood again. Context: any; the caller serializes. */
#pragma once

#include <base/types.h>

#define KEY_EXTENDED 0x80u /* the set 1 code has the prefix E0 */
#define KEY_PAUSE    0xc6u /* with and without Ctrl */
#define KEY_SYSRQ    0xb7u /* Print Screen, with and without Alt */

enum scan_set { SCAN_SET_1 = 1, SCAN_SET_2 = 2 };

enum scan_result {
    SCAN_NOTHING, /* the byte is part of a code, or of none */
    SCAN_PRESS,   /* again and again while a key is held */
    SCAN_RELEASE,
    SCAN_LOST, /* the keyboard lost codes: what is held is not known any more */
};

struct scan_decoder {
    enum scan_set set;
    bool is_extended, is_release;
    uint8_t nr_of_pause; /* bytes of the code of Pause so far */
};

void scan_decoder_init(struct scan_decoder *decoder, enum scan_set set);

/* Takes a byte. *key is set with SCAN_PRESS and SCAN_RELEASE. */
enum scan_result scan_decode(struct scan_decoder *decoder, uint8_t byte, uint8_t *key);
