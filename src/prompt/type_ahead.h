/* Typed bytes between the consoles and the line editor. No interrupt announces a byte yet, so whoever keeps the CPU
 * busy at the prompt polls: a 16550 holds 16 bytes, and at 115,200 baud one comes every 87 microseconds. */
#pragma once

#include <base/types.h>

/* Takes over what the consoles have, as far as there is room. Context: thread. */
void type_ahead_poll(void);

/* The next byte, or -EAGAIN. Context: thread. */
int type_ahead_read(void);
