/* What happens when the compiler's checks find undefined behaviour. The preset `sanitize` checks everything
 * (-fsanitize=undefined), reports each place once, as a warning with a backtrace, and goes on. Every other build checks
 * array bounds, shifts and signed overflow, and a finding ends in a fault report: docs/debugging.md has the cost of
 * that choice. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

/* What a finding that the code could survive ends in (`keel.ubsan=`). */
enum ubsan_action { UBSAN_WARN, UBSAN_PANIC };

void ubsan_set_action(enum ubsan_action action);

/* Findings so far, those given to an observer not counted. Context: any. */
uint64_t ubsan_count(void);

/* For tests that provoke findings: they go to observer, in words, instead of the log and the count, and the code goes
 * on. NULL ends it. Context: thread. */
typedef void (*ubsan_observer)(const char *words);
void ubsan_set_observer(ubsan_observer observer);
