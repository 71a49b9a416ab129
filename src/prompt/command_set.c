/* The linker's table is in link order and read-only; with some tens of entries, searching beats sorting a copy. */
#include "command_set.h"

#include <lib/string.h>

const struct command *command_find(const struct command_set *set, const char *name, size_t length)
{
    for (const struct command *command = set->begin; command < set->end; command++) {
        if (strlen(command->name) == length && memcmp(command->name, name, length) == 0)
            return command;
    }
    return NULL;
}

const struct command *command_next(const struct command_set *set, const struct command *command)
{
    const struct command *next = NULL;

    for (const struct command *other = set->begin; other < set->end; other++) {
        if ((!command || strcmp(other->name, command->name) > 0) && (!next || strcmp(other->name, next->name) < 0))
            next = other;
    }
    return next;
}
