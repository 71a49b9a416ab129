/* The character set of the VGA's own font. Pure. */
#pragma once

#include <base/types.h>

/* The code page 437 byte for a Unicode character; '?' where there is none. */
uint8_t cp437_encode(uint32_t character);
