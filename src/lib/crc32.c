#include <lib/crc32.h>

#define POLYNOMIAL_REFLECTED 0xedb88320u

/* Bit by bit: reports and headers are short, and a table would be 1 KiB that a stray write could spoil. */
uint32_t crc32_update(uint32_t crc, const void *bytes, size_t length)
{
    const uint8_t *p = bytes;

    crc = ~crc;
    for (size_t i = 0; i < length; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL_REFLECTED : 0);
    }
    return ~crc;
}
