#include <debug/backtrace.h>
#include <debug/command.h>
#include <debug/console.h>
#include <debug/exception_names.h>
#include <debug/report.h>

static int run_backtrace(int argc, char **argv)
{
    struct backtrace walk;
    struct backtrace_frame step;
    struct trap_frame here;
    char text[160];

    (void)argc, (void)argv;
    capture_registers(&here);
    for (backtrace_begin(&walk, &here); backtrace_next(&walk, &step);) {
        if (step.kind == BACKTRACE_EXCEPTION) {
            const struct trap_frame *trap = (const struct trap_frame *)(uintptr_t)step.address;

            console_printf("-- %s, in:\n", exception_name(trap->vector));
            continue;
        }
        format_code_location(text, sizeof(text), step.address, step.kind == BACKTRACE_RETURN);
        console_printf("%s\n", text);
    }
    backtrace_describe_end(&walk, text, sizeof(text));
    console_printf("end: %s\n", text);
    return 0;
}

COMMAND(backtrace, .name = "backtrace", .arguments = "", .summary = "how execution came to this command",
        .run = run_backtrace);
