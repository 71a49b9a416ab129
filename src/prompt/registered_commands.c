#include "registered_commands.h"

static const struct command_set set = {__table_commands_start, __table_commands_end};

const struct command_set *registered_commands(void)
{
    return &set;
}

const char *registered_command_name(unsigned n)
{
    const struct command *command = NULL;

    do {
        command = command_next(&set, command);
    } while (command && n-- > 0);
    return command ? command->name : NULL;
}
