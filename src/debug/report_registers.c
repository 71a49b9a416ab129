#include "report_sections.h"

#include <cpu/exception_table.h>
#include <cpu/registers.h>
#include <debug/backtrace.h>
#include <debug/exception_names.h>

#define CR4_LA57 (1u << 12)

static uint16_t read_selector_ds(void)
{
    uint16_t value;

    __asm__("mov %%ds, %0" : "=r"(value));
    return value;
}

static uint16_t read_selector_es(void)
{
    uint16_t value;

    __asm__("mov %%es, %0" : "=r"(value));
    return value;
}

static uint16_t read_selector_fs(void)
{
    uint16_t value;

    __asm__("mov %%fs, %0" : "=r"(value));
    return value;
}

static uint16_t read_selector_gs(void)
{
    uint16_t value;

    __asm__("mov %%gs, %0" : "=r"(value));
    return value;
}

/* The bytes at RIP, as far as they can be read: an instruction fetch that faulted has none. */
static void capture_code(struct fault_facts *facts)
{
    while (facts->code_length < sizeof(facts->code) &&
           read_safely(&facts->code[facts->code_length],
                       (const void *)(uintptr_t)(facts->frame->rip + facts->code_length), 1) == 0)
        facts->code_length++;
}

void report_state_capture(struct report_state *state, const struct report *report, bool is_fatal)
{
    *state = (struct report_state){
        .report = report,
        .facts = {.frame = report->frame,
                  .cr2 = report->cr2,
                  .fs_base = rdmsr(MSR_FS_BASE),
                  .gs_base = rdmsr(MSR_GS_BASE),
                  .has_la57 = (read_cr4() & CR4_LA57) != 0},
        .cr0 = read_cr0(),
        .cr3 = read_cr3(),
        .cr4 = read_cr4(),
        .efer = rdmsr(MSR_EFER),
        .kernel_gs_base = rdmsr(MSR_KERNEL_GS_BASE),
        .ds = read_selector_ds(),
        .es = read_selector_es(),
        .fs = read_selector_fs(),
        .gs = read_selector_gs(),
        .is_fatal = is_fatal,
    };
    capture_code(&state->facts);
}

void report_registers(const struct report_state *state)
{
    const struct trap_frame *f = state->report->frame;
    char words[160];

    report_line("registers:");
    report_line(" rax 0x%016lx rbx 0x%016lx rcx 0x%016lx rdx 0x%016lx", f->rax, f->rbx, f->rcx, f->rdx);
    report_line(" rsi 0x%016lx rdi 0x%016lx rbp 0x%016lx rsp 0x%016lx", f->rsi, f->rdi, f->rbp, f->rsp);
    report_line(" r8  0x%016lx r9  0x%016lx r10 0x%016lx r11 0x%016lx", f->r8, f->r9, f->r10, f->r11);
    report_line(" r12 0x%016lx r13 0x%016lx r14 0x%016lx r15 0x%016lx", f->r12, f->r13, f->r14, f->r15);
    report_line(" cs 0x%04x ss 0x%04x ds 0x%04x es 0x%04x fs 0x%04x gs 0x%04x", (unsigned)f->cs, (unsigned)f->ss,
                state->ds, state->es, state->fs, state->gs);
    report_line(" fs_base 0x%016lx gs_base 0x%016lx kernel_gs_base 0x%016lx", state->facts.fs_base,
                state->facts.gs_base, state->kernel_gs_base);
    format_rflags(words, sizeof(words), f->rflags);
    report_line(" rflags 0x%016lx %s", f->rflags, words);
    format_cr0(words, sizeof(words), state->cr0);
    report_line(" cr0 0x%016lx %s", state->cr0, words);
    report_line(" cr2 0x%016lx cr3 0x%016lx", state->facts.cr2, state->cr3);
    format_cr4(words, sizeof(words), state->cr4);
    report_line(" cr4 0x%016lx %s", state->cr4, words);
    format_efer(words, sizeof(words), state->efer);
    report_line(" efer 0x%016lx %s", state->efer, words);
}
