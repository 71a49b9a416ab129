/* The order of a report, and what happens when more than one CPU, or the report itself, comes to grief. */
#include <debug/report.h>

#include <cpu/exception_table.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <cpu/reset.h>
#include <cpu/tsc.h>
#include <debug/backtrace.h>
#include <debug/exception_names.h>
#include <debug/report_cpus.h>
#include <lib/format.h>
#include <lib/string.h>
#include <sync/spinlock.h>

#include "panic_action.h"
#include "report_output.h"
#include "report_sections.h"

#define NO_CPU   0u
#define STUCK_NS 1000000000ul /* a line of a notice takes a hundredth of that, on a slow serial line too */

/* CPU number + 1 of the CPU that writes the last report. [a] */
static uint32_t fatal_cpu = NO_CPU;

/* The same for the CPU that writes a notice. [a] */
static uint32_t notice_cpu = NO_CPU;

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
    report_boot_stage();
    report_others(&state);
    report_locks();
    report_backtrace(report->frame);
    report_code(&state);
    if (is_fatal) {
        report_threads();
        report_log(); /* a notice is in the log itself */
    }
    report_build_id();
    report_output_end();
}

static void write_fatal_report(void *report)
{
    write_report(report, true);
    panic_act();
}

static void write_notice(void *report)
{
    write_report(report, false);
}

static uint32_t own_mark(void)
{
    return this_cpu_read(percpu.cpu_number) + 1;
}

static NORETURN void stop_here(const struct report *report)
{
    if (report_cpus())
        report_cpus()->say_stopped(report->frame);
    machine_halt();
}

static void stop_on_report_stack(void *report)
{
    stop_here(report);
}

/* Another CPU writes the last report: this one would mix with it, or be lost. This one is in no report, so that its
 * stack for one is free, and in one from here on. */
static NORETURN void stop_for_other(const struct report *report)
{
    (void)irq_save_raw_();
    this_cpu_write(percpu.in_report, 1);
    call_on_stack(this_cpu_read(stack_top), stop_on_report_stack, (void *)(uintptr_t)report);
    machine_halt();
}

/* Another CPU that fails meanwhile stops and only says where. Model: tests/models/report_claim.pml. */
static bool claim_fatal_report(void)
{
    uint32_t expected = NO_CPU, mine = own_mark();

    return __atomic_compare_exchange_n(&fatal_cpu, &expected, mine, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED) ||
           expected == mine;
}

void report_fatal(const struct report *report)
{
    static struct report last; /* [report] of the CPU that has fatal_cpu */

    __asm__ volatile("cli");
    if (report_is_running())
        report_nested(report);
    if (!claim_fatal_report())
        stop_for_other(report);
    this_cpu_write(percpu.in_report, 1);
    last = *report;
    if (report_cpus())
        report_cpus()->stop_others();
    spinlock_give_up_waiting();
    if (this_cpu_read(stack_top))
        call_on_stack(this_cpu_read(stack_top), write_fatal_report, &last);
    write_fatal_report(&last);
    machine_halt();
}

/* Waits until the notice of CPU owner - 1 is written. False where it has not got on for STUCK_NS: it may wait for what
 * the code underneath has on this CPU. A last report waits for nobody, and who waits here with NMIs off sees it. */
static bool wait_for_notice(uint32_t owner, const struct report *report)
{
    uint64_t since_ns = tsc_now_ns();
    uint32_t seen = report_nr_lines(owner - 1), fatal;

    while (__atomic_load_n(&notice_cpu, __ATOMIC_RELAXED) == owner) {
        fatal = __atomic_load_n(&fatal_cpu, __ATOMIC_RELAXED);
        if (fatal != NO_CPU && fatal != own_mark())
            stop_for_other(report);
        if (report_nr_lines(owner - 1) != seen) {
            seen = report_nr_lines(owner - 1);
            since_ns = tsc_now_ns();
        }
        if (tsc_now_ns() - since_ns >= STUCK_NS)
            return false;
        cpu_relax();
    }
    return true;
}

/* Claim and in_report are one to interrupts and the scheduler, which leaves a CPU alone that is in a report. An NMI in
 * between finds its own mark. Nobody watches for how long: that interrupts were off for too long is a notice, too. */
static bool try_claim_notice(uint32_t *owner, uint32_t *mine)
{
    uint64_t flags = irq_save_raw_();
    bool is_mine;

    *mine = own_mark();
    is_mine = __atomic_compare_exchange_n(&notice_cpu, owner, *mine, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
    if (is_mine)
        this_cpu_write(percpu.in_report, 1);
    irq_restore_raw_(flags);
    return is_mine;
}

/* One CPU writes a notice at a time, or their lines would mix; an owner that is stuck is set aside. False in an NMI
 * above the claim. Model: tests/models/report_claim.pml. */
static bool claim_notice(const struct report *report)
{
    uint32_t owner = NO_CPU, mine;

    while (!try_claim_notice(&owner, &mine)) {
        if (owner == mine)
            return false;
        if (owner == NO_CPU || wait_for_notice(owner, report))
            owner = NO_CPU; /* what is expected of it next */
    }
    return true;
}

static void give_notice_back(void)
{
    uint64_t flags = irq_save_raw_();
    uint32_t mine = own_mark();

    this_cpu_write(percpu.in_report, 0);
    (void)__atomic_compare_exchange_n(&notice_cpu, &mine, NO_CPU, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
    irq_restore_raw_(flags);
}

void report_notice(const struct report *report)
{
    void *argument = (void *)(uintptr_t)report;

    if (report_is_running() || !claim_notice(report))
        return;
    if (this_cpu_read(stack_top))
        call_on_stack(this_cpu_read(stack_top), write_notice, argument);
    else
        write_notice(argument);
    give_notice_back();
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
    if (!claim_fatal_report()) { /* it is inside a notice */
        if (depth == 1)
            stop_here(report);
        machine_halt();
    }
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
