/* Where a report's bytes go: straight to the consoles when it is the last thing the kernel says, to the log when the
 * kernel goes on. Private to the report. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

/* Starts the block, checksum included. */
void report_output_begin(bool is_fatal);
void report_output_end(void);

/* Lines of reports that a CPU has written: for whoever waits for it. Context: any. */
uint32_t report_nr_lines(uint32_t cpu);

/* One line straight to ports that every PC or emulator has, in bounded time, whatever else is broken. */
void early_write(const char *bytes, size_t length);
