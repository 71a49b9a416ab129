/* Numbers and words out of text. Context: any. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

/* Reads the whole of text as an unsigned number: decimal, 0x hexadecimal, 0b binary or 0 octal, with an optional K, M
 * or G (powers of 1024) at the end. Returns 0, -EINVAL where it is not a number, -ERANGE where it does not fit. */
MUST_CHECK int parse_u64(const char *text, uint64_t *value);

/* Splits line in place into words at blanks; 'single' and "double" quotes keep blanks. Returns the number of words, or
 * -E2BIG when there are more than limit, -EINVAL for an unclosed quote. words[count] is set to NULL: room for limit
 * + 1. */
MUST_CHECK int split_words(char *line, char **words, int limit);
