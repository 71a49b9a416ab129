/* Where in the kernel's own affairs the event came: CPU, thread, interrupt nesting, locks, callers. */
#include "report_sections.h"

#include <cpu/percpu.h>
#include <debug/backtrace.h>
#include <debug/exception_names.h>
#include <debug/known_stacks.h>
#include <sync/spinlock.h>

/* Depths include the exception that is reported. */
static bool is_nmi_class(uint64_t vector)
{
    return vector == VECTOR_NMI || vector == VECTOR_MACHINE_CHECK;
}

void report_context(const struct report_state *state)
{
    uint64_t vector = state->report->frame->vector;
    unsigned irq = this_cpu_read(percpu.interrupt_depth), nmi = this_cpu_read(percpu.nmi_depth);
    struct known_stack stack;

    if (is_nmi_class(vector))
        nmi -= nmi > 0;
    else if (vector != TRAP_VECTOR_NONE)
        irq -= irq > 0;
    report_line("cpu: %u", this_cpu_read(percpu.cpu_number));
    report_line("thread: %s, stack '%s'", report_thread_name(),
                known_stack_find(state->report->frame->rsp, &stack) ? stack.name : "(RSP is in none)");
    report_line("context: %s, interrupt depth %u, NMI depth %u, preemption off %u, interrupts %s",
                nmi   ? "NMI"
                : irq ? "interrupt"
                      : "thread",
                irq, nmi, this_cpu_read(percpu.preempt_off_depth), state->report->frame->rflags & 0x200 ? "on" : "off");
    report_line("other CPUs: none, 1 CPU online");
}

void report_locks(void)
{
    unsigned count = this_cpu_read(percpu.nr_held_locks);

    report_line("locks held: %u", count);
    for (unsigned i = 0; i < count && i < HELD_LOCKS_MAX; i++) {
        const struct held_lock *held = &this_cpu_pointer(percpu)->held_locks[i];
        char where[128];

        format_code_location(where, sizeof(where), (uint64_t)(uintptr_t)held->acquired_at, true);
        report_line(" '%s' taken at %s", held->lock->name, where);
    }
}

void report_backtrace(const struct trap_frame *frame)
{
    struct backtrace walk;
    struct backtrace_frame step;
    char where[160];

    report_line("backtrace:");
    for (backtrace_begin(&walk, frame); backtrace_next(&walk, &step);) {
        if (step.kind == BACKTRACE_EXCEPTION) {
            const struct trap_frame *trap = (const struct trap_frame *)(uintptr_t)step.address;

            report_line(" -- %s %s (vector %lu), in:", exception_mnemonic(trap->vector), exception_name(trap->vector),
                        trap->vector);
            continue;
        }
        format_code_location(where, sizeof(where), step.address, step.kind == BACKTRACE_RETURN);
        report_line(" %s", where);
    }
    backtrace_describe_end(&walk, where, sizeof(where));
    report_line(" end: %s", where);
}
