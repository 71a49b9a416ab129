/* Typed input from keyboards: characters go to the console's input as bytes. */
#pragma once

#include <base/types.h>

/* Puts bytes (UTF-8, escape sequences for keys without a character) where console_try_read finds them; drops them, counted, when
 * nobody reads. Context: any but NMI. */
void input_bytes(const char *bytes, size_t length);
