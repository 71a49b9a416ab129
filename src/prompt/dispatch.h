/* From a line of text to commands that run. */
#pragma once

#include "command_set.h"

#define DISPATCH_WORDS_MAX 256 /* of one command */

/* Runs the commands of line, separated by ';' outside quotes, one after the other; line is cut up in place. A command
 * that fails is followed by one line `error: NAME: ...` in words, and the next one runs all the same; nothing runs from
 * an unclosed quote on. With is_echoed each command is printed as `+ COMMAND` before it runs. Returns how many failed.
 * Context: thread; not from inside a command. */
unsigned dispatch_line(const struct command_set *set, char *line);
unsigned dispatch_line_echoed(const struct command_set *set, char *line);

/* Prints `error: ` and the text, in the colour of errors. */
PRINTF(1, 2) void dispatch_error(const char *format, ...);
