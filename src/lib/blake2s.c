#include <lib/blake2s.h>

#include <lib/string.h>

#define ROUNDS 10

/* RFC 7693 2.6: the same as SHA-256's. */
static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/* RFC 7693 2.7 */
static const uint8_t sigma[ROUNDS][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

static uint32_t rotate_right(uint32_t value, unsigned bits)
{
    return value >> bits | value << (32 - bits);
}

/* RFC 7693 3.1 */
static void mix(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d, uint32_t x, uint32_t y)
{
    *a += *b + x;
    *d = rotate_right(*d ^ *a, 16);
    *c += *d;
    *b = rotate_right(*b ^ *c, 12);
    *a += *b + y;
    *d = rotate_right(*d ^ *a, 8);
    *c += *d;
    *b = rotate_right(*b ^ *c, 7);
}

static void do_round(uint32_t v[static 16], const uint32_t m[static 16], const uint8_t s[static 16])
{
    for (unsigned i = 0; i < 4; i++) /* columns */
        mix(&v[i], &v[4 + i], &v[8 + i], &v[12 + i], m[s[2 * i]], m[s[2 * i + 1]]);
    for (unsigned i = 0; i < 4; i++) /* diagonals */
        mix(&v[i], &v[4 + (i + 1) % 4], &v[8 + (i + 2) % 4], &v[12 + (i + 3) % 4], m[s[8 + 2 * i]],
            m[s[8 + 2 * i + 1]]);
}

/* RFC 7693 3.2: the buffer into the state. */
static void compress(struct blake2s *hash, bool is_last)
{
    uint32_t v[16], m[16];

    hash->length_bytes += hash->filled;
    memcpy(m, hash->buffer, sizeof(m)); /* little-endian, as x86 */
    memcpy(v, hash->state, sizeof(hash->state));
    memcpy(v + 8, initial, sizeof(initial));
    v[12] ^= (uint32_t)hash->length_bytes;
    v[13] ^= (uint32_t)(hash->length_bytes >> 32);
    if (is_last)
        v[14] = ~v[14];
    for (unsigned i = 0; i < ROUNDS; i++)
        do_round(v, m, sigma[i]);
    for (unsigned i = 0; i < 8; i++)
        hash->state[i] ^= v[i] ^ v[i + 8];
    hash->filled = 0;
}

void blake2s_init(struct blake2s *hash)
{
    *hash = (struct blake2s){0};
    memcpy(hash->state, initial, sizeof(initial));
    hash->state[0] ^= 0x01010000 | BLAKE2S_HASH_BYTES; /* parameter block: one leaf, no key, digest length */
}

void blake2s_update(struct blake2s *hash, const void *bytes, size_t length)
{
    const uint8_t *from = bytes;

    while (length != 0) {
        size_t room, step;

        if (hash->filled == BLAKE2S_BLOCK_BYTES)
            compress(hash, false); /* only now: the last block is compressed as such */
        room = BLAKE2S_BLOCK_BYTES - hash->filled;
        step = length < room ? length : room;
        memcpy(hash->buffer + hash->filled, from, step);
        hash->filled += step;
        from += step;
        length -= step;
    }
}

void blake2s_final(struct blake2s *hash, uint8_t digest[static BLAKE2S_HASH_BYTES])
{
    memset(hash->buffer + hash->filled, 0, BLAKE2S_BLOCK_BYTES - hash->filled);
    compress(hash, true);
    memcpy(digest, hash->state, BLAKE2S_HASH_BYTES);
}
