/* help [COMMAND] */
#include "registered_commands.h"
#include "style.h"

#include <base/errno.h>
#include <debug/console.h>
#include <lib/string.h>

#define USAGE_COLUMNS 23 /* a longer name with arguments has a line of its own; 80 columns hold every line */

static void list_commands(void)
{
    const struct command *command = NULL;

    while ((command = command_next(registered_commands(), command)) != NULL) {
        size_t length = strlen(command->name) + 1 + strlen(command->arguments);
        bool is_long = length > USAGE_COLUMNS;

        console_printf("%s%s%s %s%s%*s %s\n", style(STYLE_HEADING), command->name, style(STYLE_NONE),
                       command->arguments, is_long ? "\n" : "", (int)(USAGE_COLUMNS - (is_long ? 0 : length)), "",
                       command->summary);
    }
    console_printf("`help COMMAND` says more. Several commands on a line are separated by ';'.\n"
                   "Tab completes; up, down and Ctrl-R recall lines.\n");
}

static int run_help(int argc, char **argv)
{
    const struct command *command;

    if (argc > 2)
        return -E2BIG;
    if (argc == 1) {
        list_commands();
        return 0;
    }
    command = command_find(registered_commands(), argv[1], strlen(argv[1]));
    if (!command)
        return command_error(-ENOENT, "no command is named '%s'", argv[1]);
    console_printf("%s%s%s %s\n    %s\n", style(STYLE_HEADING), command->name, style(STYLE_NONE), command->arguments,
                   command->summary);
    if (command->details)
        console_printf("%s\n", command->details);
    return 0;
}

COMMAND(help, .name = "help", .arguments = "[COMMAND]", .summary = "what commands there are, or more about one",
        .run = run_help, .complete = registered_command_name);
