/* What becomes of a finding: an observer's, a warning once for each place, or a fault report in the name of the code
 * that has the bug. Compiled without sanitizers; what it calls is not, so a finding inside a warning is only counted.
 */
#include <debug/ubsan.h>

#include <cpu/percpu.h>
#include <cpu/trap_frame.h>
#include <debug/panic.h>
#include <debug/report.h>
#include <debug/symbols.h>

#include "ubsan_finding.h"

static uint64_t findings;                     /* [a] */
static enum ubsan_action action = UBSAN_WARN; /* [I] after boot */
static ubsan_observer test_observer;          /* [I] but while a test runs */
static PER_CPU uint32_t warning_depth;        /* [c] */

void ubsan_set_action(enum ubsan_action new_action)
{
    action = new_action;
}

uint64_t ubsan_count(void)
{
    return __atomic_load_n(&findings, __ATOMIC_RELAXED);
}

void ubsan_set_observer(ubsan_observer observer)
{
    WRITE_ONCE(test_observer, observer);
}

/* The report is about the caller: its registers, as far as they are still known. */
static NORETURN void report_caller(const struct ubsan_caller *caller, const char *words)
{
    struct trap_frame frame;
    struct report report = {.frame = &frame, .class_words = words};

    capture_registers(&frame);
    frame.rip = (uint64_t)(uintptr_t)caller->return_address - 1; /* inside the call */
    frame.rbp = (uint64_t)(uintptr_t)caller->frame[0];
    frame.rsp = (uint64_t)(uintptr_t)(caller->frame + 2);
    report_fatal(&report);
}

/* The place as the symbol table has it, which knows inlined code's file from the project's root. */
static void warn_about(const struct ubsan_place *place, const struct ubsan_caller *caller, const char *words)
{
    struct symbol_location location;

    if (symbol_lookup((uint64_t)(uintptr_t)caller->return_address - 1, &location) == 0)
        warn("undefined behaviour: %s: in %s (%s:%u)", words, location.function, location.file, place->line);
    else
        warn("undefined behaviour: %s: at %s:%u", words, place->file, place->line);
}

void ubsan_report(struct ubsan_place *place, const struct ubsan_caller *caller, bool is_fatal, const char *words)
{
    ubsan_observer observer = READ_ONCE(test_observer);
    uint32_t depth = this_cpu_read(warning_depth);

    if (observer && !is_fatal) {
        observer(words);
        return;
    }
    __atomic_fetch_add(&findings, 1, __ATOMIC_RELAXED);
    if (is_fatal || action == UBSAN_PANIC)
        report_caller(caller, words);
    if (depth != 0 || __atomic_exchange_n(&place->column, UINT32_MAX, __ATOMIC_RELAXED) == UINT32_MAX)
        return;
    this_cpu_write(warning_depth, depth + 1);
    warn_about(place, caller, words);
    this_cpu_write(warning_depth, depth);
}
