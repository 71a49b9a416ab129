/* The report: one block between fixed lines with everything known about a fault, and a checksum. docs/fault-reports.md
 * has its grammar; tests/scenarios/report.py reads it.
 *
 * It takes no lock, allocates nothing, and runs on a stack of its own; a fault inside it ends in two lines and a stop.
 */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <cpu/trap_frame.h>

#define REPORT_BEGIN "======== KEEL REPORT BEGIN ========"
#define REPORT_END   "======== KEEL REPORT END crc32 0x%08x ========"

/* A notice's lines are lines of the log, and others may come between: its own begin with this, which is no part of it.
 */
#define REPORT_MARK "| "

struct report {
    const struct trap_frame *frame; /* the interrupted code; capture_registers where there was no exception */
    uint64_t cr2;                   /* as it was on entry */
    const char *class_words;        /* NULL: derived from the exception */
    /* More lines, each written with report_line; may be NULL. */
    void (*details)(const void *argument);
    const void *details_argument;
};

/* Writes the report and does what panic_set_action said. Context: any, interrupts off. */
NORETURN COLD void report_fatal(const struct report *report);

/* Writes the report to the log and returns, on the report's stack. One CPU does at a time: others wait, a second at
 * most for one that does not get on. Nothing is written where this CPU is in a report already. Context: any. */
COLD void report_notice(const struct report *report);

/* One line of the block, from a details function. The text has no newline. */
PRINTF(1, 2) void report_line(const char *format, ...);

/* A fault or panic while this CPU is in a report: two lines, and the stop. Context: any. */
NORETURN COLD void report_nested(const struct report *report);

/* This CPU is inside a report. */
bool report_is_running(void);

/* The stack this CPU's reports run on; until there is one they run where they are called. Context: init. */
void report_set_stack(void *top);

/* The caller's registers, as if an exception without vector had been taken at the call. Context: any. */
void capture_registers(struct trap_frame *frame);

/* Calls function on the stack that ends at top (16-byte aligned) and comes back, on the same CPU: preemption is off, or
 * the CPU is in a report. Interrupts of it run on the interrupts' stack. Context: any. */
void call_on_stack(void *top, void (*function)(void *), void *argument);
