#include <debug/backtrace.h>

#include <debug/log.h>
#include <debug/report.h>
#include <lib/format.h>

void backtrace_log(void)
{
    struct backtrace walk;
    struct backtrace_frame step;
    struct trap_frame frame;
    char where[160];

    capture_registers(&frame);
    backtrace_begin(&walk, &frame);
    (void)backtrace_next(&walk, &step); /* this function */
    while (backtrace_next(&walk, &step)) {
        if (step.kind == BACKTRACE_EXCEPTION)
            snprintf(where, sizeof(where), "-- exception, in:");
        else
            format_code_location(where, sizeof(where), step.address, step.kind == BACKTRACE_RETURN);
        log_info("  %s", where);
    }
    backtrace_describe_end(&walk, where, sizeof(where));
    log_info("  end: %s", where);
}
