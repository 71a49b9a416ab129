/* What becomes of a finding: an observer's, a warning once for each place, or a fault report in the name of the code
 * that has the bug. Compiled without sanitizers; what it calls is not, so a finding inside a warning is only counted.
 */
#include <debug/ubsan.h>

#include <cpu/percpu.h>
#include <cpu/registers.h>
#include <debug/report.h>
#include <debug/test.h>

#include "ubsan_finding.h"

uint64_t ubsan_findings;                      /* [a] */
ubsan_observer ubsan_test_observer;           /* [I] but while a test runs */
PER_CPU uint32_t ubsan_is_finding;            /* [c] with preemption off */
static enum ubsan_action action = UBSAN_WARN; /* [I] after boot */

void ubsan_set_action(enum ubsan_action new_action)
{
    action = new_action;
}

uint64_t ubsan_count(void)
{
    return __atomic_load_n(&ubsan_findings, __ATOMIC_RELAXED);
}

TEST_COUNTER(ubsan, "findings of undefined behaviour", NULL, ubsan_count);

void ubsan_set_observer(ubsan_observer observer)
{
    WRITE_ONCE(ubsan_test_observer, observer);
}

/* The report is about the caller: its registers, as far as they are still known. */
static struct report report_of(struct trap_frame *frame, const struct ubsan_caller *caller, const char *words)
{
    capture_registers(frame);
    frame->rip = (uint64_t)(uintptr_t)caller->return_address;
    frame->rbp = (uint64_t)(uintptr_t)caller->frame[0];
    frame->rsp = (uint64_t)(uintptr_t)(caller->frame + 2);
    return (struct report){.frame = frame, .cr2 = read_cr2(), .class_words = words};
}

static NORETURN void end(const struct ubsan_caller *caller, const char *words)
{
    struct trap_frame frame;
    struct report report = report_of(&frame, caller, words);

    report_fatal(&report);
}

static void warn_of(const struct ubsan_caller *caller, const char *words)
{
    struct trap_frame frame;
    struct report report = report_of(&frame, caller, words);

    report_notice(&report);
}

/* Relaxed: nothing else is read on the strength of it. */
static bool is_first_at(struct ubsan_place *place)
{
    return __atomic_exchange_n(&place->column, UINT32_MAX, __ATOMIC_RELAXED) != UINT32_MAX;
}

void ubsan_report(struct ubsan_place *place, const struct ubsan_caller *caller, bool is_fatal, const char *words)
{
    ubsan_observer observer = READ_ONCE(ubsan_test_observer);

    if (observer && !is_fatal) {
        observer(words);
        return;
    }
    ubsan_count_one();
    if (is_fatal || action == UBSAN_PANIC)
        end(caller, words);
    if (is_first_at(place))
        warn_of(caller, words);
}
