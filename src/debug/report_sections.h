/* The parts of a report, each a few lines. Private to the report. */
#pragma once

#include <debug/fault_class.h>
#include <debug/report.h>

/* Everything that is read from the processor once, before anything else can change it. */
struct report_state {
    const struct report *report;
    struct fault_facts facts;
    uint64_t cr0, cr3, cr4, efer, kernel_gs_base;
    uint16_t ds, es, fs, gs;
    bool is_fatal;
};

void report_state_capture(struct report_state *state, const struct report *report, bool is_fatal);

void report_registers(const struct report_state *state);
void report_context(const struct report_state *state);
void report_boot_stage(void);
void report_others(const struct report_state *state);
void report_locks(void);
void report_threads(void);
void report_backtrace(const struct trap_frame *frame);
void report_code(const struct report_state *state);
void report_log(void);
void report_build_id(void);
