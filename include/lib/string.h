/* Memory and string functions, with the C library's names and contracts (C17 7.24; strnlen and strlcpy as in POSIX
 * 2024). Context: any. */
#pragma once

#include <base/types.h>

void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int byte, size_t length);
int memcmp(const void *a, const void *b, size_t length);

size_t strlen(const char *s);
size_t strnlen(const char *s, size_t limit);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t limit);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *s, const char *wanted);

/* Copies with a terminator, always, where size is not 0. Returns strlen(from): the copy was cut when that is >= size.
 */
size_t strlcpy(char *restrict to, const char *restrict from, size_t size);
