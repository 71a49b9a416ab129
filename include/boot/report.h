/* What the readers of boot information have to say about it. They lie below the log, so main.c connects the two:
 * lines said before boot_report_connect are lost. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

enum boot_report_level { BOOT_REPORT_NOTE, BOOT_REPORT_ERROR };

#define BOOT_REPORT_NOTES_MAX 32  /* notes shown; a map of 100,000 odd entries does not drown the log */
#define BOOT_REPORT_TEXT_MAX  192 /* longer lines are cut */

/* Each line goes to write, without a newline. Context: init. */
void boot_report_connect(void (*write)(enum boot_report_level level, const char *text));

/* An oddity that was skipped or repaired: what, and where. Context: init. */
PRINTF(1, 2) void boot_note(const char *format, ...);

/* A reason to give up, in words. Returns error, so that `return boot_error(-EBADMSG, ...)` reads well. Context: init.
 */
COLD PRINTF(2, 3) int boot_error(int error, const char *format, ...);

/* Says how many notes were left out, where there were some. Context: init. */
void boot_report_end(void);
