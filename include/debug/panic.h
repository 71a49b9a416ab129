/* The end of the kernel, with a reason. */
#pragma once

#include <base/compiler.h>

/* What to do once the report is out (`keel.panic=`): stay halted, reset the machine, or leave QEMU with a failure code.
 */
enum panic_action { PANIC_HALT, PANIC_REBOOT, PANIC_EXIT };

/* Prints the report (debug/report.h) with this message as its class and stops. Says what was expected and what was
 * found. Context: any. */
NORETURN COLD PRINTF(1, 2) void panic(const char *format, ...);

void panic_set_action(enum panic_action action);

/* Logs a warning with a backtrace and goes on. Context: any. */
COLD PRINTF(1, 2) void warn(const char *format, ...);

#define WARN_ON(condition)                        \
    ({                                            \
        bool warn_on_ = (condition);              \
        if (UNLIKELY(warn_on_))                   \
            warn("%s: %s", __func__, #condition); \
        warn_on_;                                 \
    })
