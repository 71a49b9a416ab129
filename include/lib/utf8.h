/* UTF-8 (RFC 3629), one character at a time. Context: any. */
#pragma once

#include <base/types.h>

/* The number of bytes of a character that begins with this byte, 1 to 4; 0 where none does. */
unsigned utf8_sequence_length(unsigned char first);

/* Decodes the character at the beginning of text. Returns the number of bytes it takes, or 0 where length bytes hold no
 * whole, valid one (overlong forms, surrogates and values above U+10FFFF are not). */
unsigned utf8_decode(const char *text, size_t length, uint32_t *character);

/* Writes a character below U+110000. Returns the number of bytes, 1 to 4. */
unsigned utf8_encode(uint32_t character, char text[4]);
