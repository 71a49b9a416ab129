/* Strings out of the loader's structures. Private to boot/. */
#pragma once

#include <base/types.h>

/* Copies up to length bytes, or up to the terminator, to `to` with a terminator; what does not fit is cut. Control
 * characters become blanks, so that the text can be logged. Returns whether a terminator was found, and not cut off. */
bool boot_copy_text(char *to, size_t size, const void *from, size_t length);
