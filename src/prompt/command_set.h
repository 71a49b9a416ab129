/* The registered commands, looked up and walked in the order of their names. Context: any. */
#pragma once

#include <base/types.h>
#include <debug/command.h>

/* In the kernel: all of the linker table. */
struct command_set {
    const struct command *begin, *end;
};

/* The command of this name (length bytes of it), or NULL. */
const struct command *command_find(const struct command_set *set, const char *name, size_t length);

/* The command whose name follows this one's, or the first for NULL; NULL at the end. */
const struct command *command_next(const struct command_set *set, const struct command *command);
