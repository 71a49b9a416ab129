/* The one table of kernel command line options. A style test holds docs/command-line.md and every call of
 * command_line_get against it. */
#include <boot/command_line.h>

static const struct command_line_option options[] = {
    {"keel.run", "\"command; command\"", "prompt commands to run at boot, before the prompt"},
    {"keel.panic", "halt|reboot|exit", "what to do after the report of a fatal error (default: halt)"},
    {"keel.loglevel", "error|warn|info|debug", "the least urgent log level that consoles show (default: info)"},
    {"keel.color", "on|off", "colours of the prompt (default: on)"},
    {"keel.term", "dumb", "the terminal understands no escape sequences: no colours, no clearing"},
    {"keel.columns", "20 to 256", "width of the narrowest terminal, which long lines scroll in (default: 80)"},
};

const struct command_line_option *command_line_options(unsigned *count)
{
    *count = ARRAY_SIZE(options);
    return options;
}
