#include <lib/chacha20.h>

#include <lib/string.h>

#define ROUNDS 20

static uint32_t rotate_left(uint32_t value, unsigned bits)
{
    return value << bits | value >> (32 - bits);
}

/* RFC 8439 2.1 */
static void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    *a += *b;
    *d = rotate_left(*d ^ *a, 16);
    *c += *d;
    *b = rotate_left(*b ^ *c, 12);
    *a += *b;
    *d = rotate_left(*d ^ *a, 8);
    *c += *d;
    *b = rotate_left(*b ^ *c, 7);
}

static void double_round(uint32_t x[static 16])
{
    for (unsigned i = 0; i < 4; i++) /* columns */
        quarter_round(&x[i], &x[4 + i], &x[8 + i], &x[12 + i]);
    for (unsigned i = 0; i < 4; i++) /* diagonals */
        quarter_round(&x[i], &x[4 + (i + 1) % 4], &x[8 + (i + 2) % 4], &x[12 + (i + 3) % 4]);
}

/* x86 and the format are little-endian: words are copied as they are. */
void chacha20_block(const uint8_t key[static CHACHA20_KEY_BYTES], uint32_t counter,
                    const uint8_t nonce[static CHACHA20_NONCE_BYTES], uint8_t block[static CHACHA20_BLOCK_BYTES])
{
    uint32_t start[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}; /* "expand 32-byte k" */
    uint32_t x[16];

    memcpy(&start[4], key, CHACHA20_KEY_BYTES);
    start[12] = counter;
    memcpy(&start[13], nonce, CHACHA20_NONCE_BYTES);
    memcpy(x, start, sizeof(x));
    for (unsigned round = 0; round < ROUNDS; round += 2)
        double_round(x);
    for (unsigned i = 0; i < 16; i++)
        x[i] += start[i];
    memcpy(block, x, CHACHA20_BLOCK_BYTES);
}
