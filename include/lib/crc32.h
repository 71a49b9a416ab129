/* CRC-32 as in IEEE 802.3 and zlib (reflected, polynomial 0x04c11db7). Context: any. */
#pragma once

#include <base/types.h>

/* Continues a checksum with length more bytes; the first call passes 0. */
uint32_t crc32_update(uint32_t crc, const void *bytes, size_t length);
