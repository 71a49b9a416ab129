/* Words and options of the kernel command line: `key=value` or `key`, separated by blanks. docs/command-line.md is the
 * user's page.
 *
 * Quoting: "double" and 'single' quotes anywhere in a word keep blanks and are taken off; a backslash before \ " or '
 * gives that character, except inside single quotes. So both what a user writes, keel.run="a b; c", and what GRUB makes
 * of it, "keel.run=a b; c" with \ " and ' escaped, read the same. A quote that is never closed reaches to the end of
 * the line.
 *
 * Context: any. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

/* Looks key up. Returns the length of its value, which is copied to value with a terminator: "" for a key without `=`.
 * Where the key is given more than once the last one counts. -ENOENT where it is not given; -ENAMETOOLONG where value,
 * of size bytes, cannot hold it; value is untouched then. */
MUST_CHECK int command_line_get(const char *line, const char *key, char *value, size_t size);

/* Steps through the words of a line: *at starts at its beginning and moves behind the word. Returns the word's length,
 * copied without quotes to word; -ENOENT at the end of the line; -ENAMETOOLONG, with *at moved on, where word, of size
 * bytes, cannot hold it. */
MUST_CHECK int command_line_next(const char **at, char *word, size_t size);

struct command_line_option {
    const char *key;
    const char *values;  /* as a user writes them */
    const char *meaning; /* one line */
};

/* Every option the kernel knows, in the order of docs/command-line.md. */
const struct command_line_option *command_line_options(unsigned *count);

/* Notes (boot/report.h) what is wrong with a line: unknown keel.* options and unclosed quotes. Context: init. */
void command_line_check(const char *line);
