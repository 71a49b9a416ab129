/* Where in the kernel's own affairs the event came: CPU, thread, interrupt nesting, locks, callers. */
#include "report_sections.h"

#include <cpu/percpu.h>
#include <cpu/preempt.h>
#include <debug/backtrace.h>
#include <debug/boot_stage.h>
#include <debug/exception_names.h>
#include <debug/known_stacks.h>
#include <debug/report_cpus.h>
#include <lib/format.h>
#include <sync/spinlock.h>

/* Depths include the exception that is reported. */
static bool is_nmi_class(uint64_t vector)
{
    return vector == VECTOR_NMI || vector == VECTOR_MACHINE_CHECK;
}

#define PAGE_BYTES 4096

/* "stack 'boot'", also for an RSP that has just left it. */
static void format_stack(char *buffer, size_t size, uint64_t rsp)
{
    struct known_stack stack;
    bool is_inside = known_stack_find(rsp, &stack) || known_stack_find(rsp - 1, &stack);
    char words[STACK_WORDS_MAX];

    if (!is_inside && !known_stack_find(rsp + PAGE_BYTES, &stack)) {
        snprintf(buffer, size, "RSP is in no stack");
        return;
    }
    stack_format(stack.name, stack.owner, words, sizeof(words));
    if (is_inside)
        snprintf(buffer, size, "%s, %lu bytes left", words, rsp - stack.low);
    else
        snprintf(buffer, size, "%s, overflowed by %lu bytes", words, stack.low - rsp);
}

/* By the innermost trap frame below the reported code; where the stack leads to none it is taken for an interrupt. */
static bool is_in_exception(const struct trap_frame *frame)
{
    struct backtrace walk;
    struct backtrace_frame step;

    for (backtrace_begin(&walk, frame); backtrace_next(&walk, &step);)
        if (step.kind == BACKTRACE_EXCEPTION)
            return ((const struct trap_frame *)(uintptr_t)step.address)->vector < NR_EXCEPTIONS;
    return false;
}

static const char *context_name(const struct trap_frame *frame, unsigned irq_depth, unsigned nmi_depth)
{
    if (nmi_depth > 0)
        return "NMI";
    if (irq_depth == 0)
        return "thread";
    return is_in_exception(frame) ? "exception" : "interrupt";
}

void report_context(const struct report_state *state)
{
    uint64_t vector = state->report->frame->vector;
    unsigned irq = this_cpu_read(percpu.interrupt_depth), nmi = this_cpu_read(percpu.nmi_depth);
    char stack[128], thread[REPORT_THREAD_MAX];

    if (is_nmi_class(vector))
        nmi -= nmi > 0;
    else if (vector != TRAP_VECTOR_NONE)
        irq -= irq > 0;
    report_line("cpu: %u", this_cpu_read(percpu.cpu_number));
    format_stack(stack, sizeof(stack), state->report->frame->rsp);
    report_format_thread(thread, sizeof(thread));
    report_line("thread: %s, %s", thread, stack);
    report_line("context: %s, interrupt depth %u, NMI depth %u, preemption off %u, interrupts %s",
                context_name(state->report->frame, irq, nmi), irq, nmi, preempt_depth(),
                state->report->frame->rflags & 0x200 ? "on" : "off");
}

/* While the kernel boots: what is there already. */
void report_boot_stage(void)
{
    unsigned stage = 0;

    while (stage < BOOT_STAGES && boot_stage_record((enum boot_stage)stage).is_reached)
        stage++;
    if (stage > 0 && stage < BOOT_STAGES)
        report_line("boot stage: %u of %u reached, %s", stage, (unsigned)BOOT_STAGES,
                    boot_stage_name((enum boot_stage)(stage - 1)));
}

static void write_line(const char *line)
{
    report_line(" %s", line);
}

/* Of a fatal report they were stopped; for an NMI from outside, which asks where everybody is, they are asked. */
void report_others(const struct report_state *state)
{
    const struct report_cpus *cpus = report_cpus();
    bool is_asked = false;

    if (!cpus || cpus->nr_others() == 0) {
        report_line("other CPUs: none, 1 CPU online");
        return;
    }
    if (!state->is_fatal && state->report->frame->vector == VECTOR_NMI)
        is_asked = cpus->ask_others();
    report_line("other CPUs: %u, %s", cpus->nr_others(), state->is_fatal ? "stopped" : is_asked ? "asked" : "going on");
    if (state->is_fatal || is_asked)
        cpus->describe_others(write_line);
    if (is_asked)
        cpus->end_asking();
}

void report_locks(void)
{
    unsigned count = 0;

    for (const struct spinlock *held = this_cpu_read(percpu.held_locks); held; held = held->held_below)
        count++;
    report_line("locks held: %u", count);
    for (const struct spinlock *held = this_cpu_read(percpu.held_locks); held; held = held->held_below) {
        char where[128];

        format_code_location(where, sizeof(where), (uint64_t)(uintptr_t)held->acquired_at, true);
        report_line(" '%s' taken at %s", held->name, where);
    }
    if (this_cpu_read(percpu.wanted_lock))
        report_line("lock wanted: '%s'", this_cpu_read(percpu.wanted_lock)->name);
}

void report_threads(void)
{
    report_line("threads:");
    report_describe_threads(write_line);
}

/* One line for a frame, or for a run of equal ones: a recursion's own frames would hide where it began. */
struct backtrace_lines {
    struct backtrace_frame last;
    unsigned nr_equal, nr_lines;
};

#define BACKTRACE_LINES_MAX 48

static void write_run(struct backtrace_lines *lines)
{
    char where[160];

    if (lines->nr_equal == 0 || lines->nr_lines++ >= BACKTRACE_LINES_MAX)
        return;
    if (lines->last.kind == BACKTRACE_EXCEPTION) {
        const struct trap_frame *trap = (const struct trap_frame *)(uintptr_t)lines->last.address;

        report_line(" -- %s %s (vector %lu), in:", exception_mnemonic(trap->vector), exception_name(trap->vector),
                    trap->vector);
        return;
    }
    format_code_location(where, sizeof(where), lines->last.address, lines->last.kind == BACKTRACE_RETURN);
    report_line(" %s", where);
    if (lines->nr_equal > 1)
        report_line(" ... the same %u more times", lines->nr_equal - 1);
}

void report_backtrace(const struct trap_frame *frame)
{
    struct backtrace_lines lines = {.nr_equal = 0};
    struct backtrace walk;
    struct backtrace_frame step;
    char end[128];

    report_line("backtrace:");
    for (backtrace_begin(&walk, frame); backtrace_next(&walk, &step); lines.nr_equal++) {
        if (lines.nr_equal > 0 && step.kind == lines.last.kind && step.address == lines.last.address)
            continue;
        write_run(&lines);
        lines.last = step;
        lines.nr_equal = 0;
    }
    write_run(&lines);
    backtrace_describe_end(&walk, end, sizeof(end));
    report_line(" end: %s%s", end, lines.nr_lines > BACKTRACE_LINES_MAX ? ", not all frames are shown" : "");
}
