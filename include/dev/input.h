/* Typed input from keyboards: characters go to the console's input as bytes. */
#pragma once

#include <base/types.h>

/* Puts bytes (UTF-8, escape sequences for keys without a character) where input_try_read finds them; all of them, or,
 * where nobody reads and they do not fit, none, counted, with a log line. Context: any but NMI. */
void input_bytes(const char *bytes, size_t length);

/* The next byte, or -EAGAIN. Context: any but NMI. */
int input_try_read(void);

/* Bytes that nobody read. Context: any but NMI. */
uint64_t input_dropped(void);
