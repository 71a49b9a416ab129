/* Formatted output into a buffer: the C library's names and contracts (C17 7.21.6.5), for
 * %[-0 #+][width|*][.precision|.*][hh h l ll z t j](d i u x X o c s p %).
 * No floating point. A NULL string prints (null). Context: any; takes no lock, allocates nothing. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

/* Returns the length the whole text has; it was cut when that is >= size. Always terminated where size is not 0. */
PRINTF(3, 4) int snprintf(char *buffer, size_t size, const char *format, ...);
int vsnprintf(char *buffer, size_t size, const char *format, va_list arguments) __attribute__((format(printf, 3, 0)));
