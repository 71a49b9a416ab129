/* Decoding accepts exactly what encoding can produce: the shortest form of a character that is no surrogate. */
#include <lib/utf8.h>

#define SURROGATE_FIRST 0xd800u
#define SURROGATE_LAST  0xdfffu
#define CHARACTER_MAX   0x10ffffu

/* The smallest character that needs this many bytes. */
static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};

unsigned utf8_sequence_length(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        return 2;
    if (first >= 0xe0 && first <= 0xef)
        return 3;
    if (first >= 0xf0 && first <= 0xf4)
        return 4;
    return 0;
}

unsigned utf8_decode(const char *text, size_t length, uint32_t *character)
{
    const unsigned char *bytes = (const unsigned char *)text;
    unsigned wanted = length == 0 ? 0 : utf8_sequence_length(bytes[0]);
    uint32_t value;

    if (wanted == 0 || wanted > length)
        return 0;
    value = wanted == 1 ? bytes[0] : bytes[0] & (0x7fu >> wanted);
    for (unsigned i = 1; i < wanted; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (bytes[i] & 0x3f);
    }
    if (value < smallest[wanted] || value > CHARACTER_MAX || (value >= SURROGATE_FIRST && value <= SURROGATE_LAST))
        return 0;
    *character = value;
    return wanted;
}

unsigned utf8_encode(uint32_t character, char text[4])
{
    unsigned length = 4;

    while (length > 1 && character < smallest[length])
        length--;
    if (length == 1) {
        text[0] = (char)character;
        return 1;
    }
    for (unsigned i = length - 1; i > 0; i--) {
        text[i] = (char)(0x80 | (character & 0x3f));
        character >>= 6;
    }
    text[0] = (char)((0xf00u >> length & 0xf0) | character);
    return length;
}
