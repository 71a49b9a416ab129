/* The order of a report, and what happens when more than one CPU, or the report itself, comes to grief. */
#include <debug/report.h>

#include <cpu/exception_table.h>
#include <cpu/percpu.h>
#include <cpu/reset.h>
#include <debug/backtrace.h>
#include <debug/exception_names.h>
#include <debug/report_cpus.h>
#include <lib/format.h>
#include <lib/string.h>

#include "panic_action.h"
#include "report_output.h"
#include "report_sections.h"

#define NO_CPU 0u

/* CPU number + 1 of the CPU that writes the last report. [a] */
static uint32_t fatal_cpu = NO_CPU;

static PER_CPU void *stack_top; /* [I] */

void report_set_stack(void *top)
{
    this_cpu_write(stack_top, top);
}

static void report_class(const struct report_state *state)
{
    char class_words[FAULT_CLASS_MAX];

    if (state->report->class_words)
        report_line("class: %s", state->report->class_words);
    else {
        fault_class_describe(&state->facts, class_words, sizeof(class_words));
        report_line("class: %s", class_words);
    }
    report_line("outcome: %s", state->is_fatal ? panic_action_words() : "goes on");
}

static void report_exception(const struct report_state *state)
{
    const struct trap_frame *frame = state->report->frame;
    char words[200];

    if (frame->vector == TRAP_VECTOR_NONE) {
        report_line("vector: none, reported by the kernel itself");
        return;
    }
    report_line("vector: %lu %s %s", frame->vector, exception_mnemonic(frame->vector), exception_name(frame->vector));
    format_error_code(words, sizeof(words), frame->vector, frame->error_code);
    report_line("error code: 0x%016lx %s", frame->error_code, words);
}

static void report_addresses(const struct report_state *state)
{
    const struct trap_frame *frame = state->report->frame;
    bool counts = frame->vector == VECTOR_PAGE_FAULT || frame->vector == VECTOR_DOUBLE_FAULT;
    struct address_description cr2;
    char words[FAULT_ACCESS_MAX];

    report_describe_address(state->facts.cr2, &cr2);
    report_line("cr2: 0x%016lx %s%s", state->facts.cr2, counts ? "" : "(not of this event) ", cr2.text);
    format_code_location(words, sizeof(words), frame->rip, frame->vector == TRAP_VECTOR_NONE);
    report_line("rip: %s", words);
    fault_access_describe(&state->facts, words, sizeof(words));
    if (words[0])
        report_line("access: %s", words);
}

static void write_report(const struct report *report, bool is_fatal)
{
    struct report_state state;

    report_state_capture(&state, report, is_fatal);
    report_output_begin(is_fatal);
    report_class(&state);
    report_exception(&state);
    report_addresses(&state);
    if (report->details)
        report->details(report->details_argument);
    report_registers(&state);
    report_context(&state);
    report_others(&state);
    report_locks();
    report_backtrace(report->frame);
    report_code(&state);
    if (is_fatal)
        report_log(); /* a notice is in the log itself */
    report_build_id();
    report_output_end();
}

static void write_fatal_report(void *report)
{
    write_report(report, true);
    panic_act();
}

/* Another CPU that fails meanwhile stops and only says where: its report would mix with the first. Model:
 * tests/models/report_claim.pml. */
static void claim_fatal_report(const struct report *report)
{
    uint32_t expected = NO_CPU, mine = this_cpu_read(percpu.cpu_number) + 1;

    if (!__atomic_compare_exchange_n(&fatal_cpu, &expected, mine, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED) &&
        expected != mine) {
        if (report_cpus())
            report_cpus()->say_stopped(report->frame);
        machine_halt();
    }
}

void report_fatal(const struct report *report)
{
    static struct report last;

    __asm__ volatile("cli");
    if (report_is_running())
        report_nested(report);
    claim_fatal_report(report);
    this_cpu_write(percpu.in_report, 1);
    last = *report;
    if (report_cpus())
        report_cpus()->stop_others();
    if (this_cpu_read(stack_top))
        call_on_stack(this_cpu_read(stack_top), write_fatal_report, &last);
    write_fatal_report(&last);
    machine_halt();
}

void report_notice(const struct report *report)
{
    if (report_is_running())
        return;
    this_cpu_write(percpu.in_report, 1);
    write_report(report, false);
    this_cpu_write(percpu.in_report, 0);
}

bool report_is_running(void)
{
    return this_cpu_read(percpu.in_report) != 0;
}

/* The first try goes to the ports and nowhere else, since a console may be what failed. */
void report_nested(const struct report *report)
{
    const struct trap_frame *frame = report->frame;
    uint32_t depth = this_cpu_read(percpu.in_report);
    char line[256], where[128];
    int length;

    this_cpu_write(percpu.in_report, depth + 1);
    if (depth <= 2) {
        if (depth == 1)
            format_code_location(where, sizeof(where), frame->rip, frame->vector == TRAP_VECTOR_NONE);
        else
            snprintf(where, sizeof(where), "0x%016lx", frame->rip);
        length = snprintf(line, sizeof(line), "\nKEEL: fault inside the report: %s error 0x%lx cr2 0x%016lx at %s\n",
                          report->class_words ? report->class_words : exception_mnemonic(frame->vector),
                          frame->error_code, report->cr2, where);
        early_write(line, (size_t)length < sizeof(line) ? (size_t)length : sizeof(line) - 1);
        length = snprintf(line, sizeof(line), "KEEL: the report above is incomplete; %s\n", panic_action_words());
        early_write(line, (size_t)length);
    }
    if (depth <= 3)
        panic_act();
    machine_halt();
}
