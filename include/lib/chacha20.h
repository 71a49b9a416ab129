/* The ChaCha20 block function (RFC 8439 2.3). Context: any. */
#pragma once

#include <base/types.h>

#define CHACHA20_KEY_BYTES   32u
#define CHACHA20_NONCE_BYTES 12u
#define CHACHA20_BLOCK_BYTES 64u

void chacha20_block(const uint8_t key[static CHACHA20_KEY_BYTES], uint32_t counter,
                    const uint8_t nonce[static CHACHA20_NONCE_BYTES], uint8_t block[static CHACHA20_BLOCK_BYTES]);
