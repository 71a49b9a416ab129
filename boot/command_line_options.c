/* The one table of kernel command line options. A style test holds docs/command-line.md and every call of
 * command_line_get against it. */
#include <boot/command_line.h>

static const struct command_line_option options[] = {
    {"acpi", "off", "do without the firmware's ACPI tables"},
    {"keel.run", "\"command; command\"", "prompt commands to run before the first prompt"},
    {"keel.panic", "halt|reboot|exit", "what to do after the report of a fatal error (default: halt)"},
    {"keel.loglevel", "error|warn|info|debug", "the least urgent log lines that consoles show (default: info)"},
    {"keel.console", "com1..com4|none", "the serial port of the prompt (default: the first that is there)"},
    {"keel.log", "com1..com4|none", "the serial port of the log (default: the one of the prompt)"},
    {"keel.keymap", "us|de", "the layout of the keyboard (default: us)"},
    {"keel.term", "dumb", "a terminal that knows no escape sequences"},
    {"keel.ubsan", "warn|panic", "what a finding of the sanitize build's checks ends in (default: warn)"},
    {"keel.cpus", "1..256", "how many CPUs to use at most (default: all there are)"},
    {"keel.kcsan-every", "N", "kcsan build: one of N plain accesses is watched (default: 4000; 0: none)"},
    {"keel.kcsan-delay-us", "0..1000000", "kcsan build: for how many microseconds (default: 20)"},
    {"keel.lockdep", "warn|panic", "what a finding of the debug build's lock checker ends in (default: panic)"},
    {"keel.soft-lockup-ms", "0..86400000", "how long a CPU may let no thread in (default: 2000; 0: for ever)"},
    {"keel.hard-lockup-ms", "0..86400000", "how long a CPU may take no interrupt (default: 3000; 0: for ever)"},
    {"keel.hung-thread-ms", "0..86400000", "how long a thread may wait (default: 120000; 0: for ever)"},
    {"keel.lockup", "warn|panic", "what a hanging CPU ends in (default: warn)"},
    {"keel.fail", "N", "for tests: the N-th allocation from boot on fails"},
    {"keel.mce-poll-ms", "0..86400000", "how often hardware errors are looked for (default: 500)"},
    {"keel.color", "off", "no colours"},
    {"keel.columns", "20..256", "the width of the terminal (default: 80)"},
};

const struct command_line_option *command_line_options(unsigned *count)
{
    *count = ARRAY_SIZE(options);
    return options;
}
