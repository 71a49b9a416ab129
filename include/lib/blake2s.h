/* The hash BLAKE2s-256 without a key (RFC 7693). Context: any. */
#pragma once

#include <base/types.h>

#define BLAKE2S_HASH_BYTES  32u
#define BLAKE2S_BLOCK_BYTES 64u

struct blake2s {
    uint32_t state[8];
    uint64_t length_bytes; /* compressed so far */
    uint8_t buffer[BLAKE2S_BLOCK_BYTES];
    size_t filled;
};

void blake2s_init(struct blake2s *hash);
void blake2s_update(struct blake2s *hash, const void *bytes, size_t length);

/* The structure is to be initialised again before it is used again. */
void blake2s_final(struct blake2s *hash, uint8_t digest[static BLAKE2S_HASH_BYTES]);
