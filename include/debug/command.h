/* Prompt commands. Any module from debug upwards registers its own by placing an entry in the linker table; the prompt
 * finds them all, sorts them and completes their names. */
#pragma once

#include <base/compiler.h>

/* Runs in thread context with interrupts on. argv[0] is the command's name; argv[argc] is NULL. Prints with
 * console_printf (debug/console.h). Returns 0; a negative error, which the prompt prints in words; or COMMAND_FAILED
 * when it has said itself what went wrong, with a line that begins with `error: `. */
#define COMMAND_FAILED 1
typedef int (*command_function)(int argc, char **argv);

struct command {
    const char *name;
    const char *arguments; /* "ADDR [COUNT]", or "" */
    const char *summary;   /* one line, no full stop */
    command_function run;
    /* Completion of the argument at the cursor: the n-th word (from 0) this command can take, NULL past the last. May
     * be NULL. */
    const char *(*complete)(unsigned n);
    const char *details; /* what `help NAME` says beyond the summary, lines without a newline at the end; may be NULL */
};

#define COMMAND(identifier, ...) TABLE_ENTRY(commands) static const struct command command_##identifier = {__VA_ARGS__}

TABLE_DECLARE(const struct command, commands);

/* For a command that fails: says in words what was wrong with what ("no symbol is named 'x'"), which the prompt prints
 * in place of the error's own words. Returns error, negative. Context: thread. */
PRINTF(2, 3) int command_error(int error, const char *format, ...);

/* What command_error was told since the last call, or NULL. For the prompt; valid until the next command_error. */
const char *command_take_error(void);
