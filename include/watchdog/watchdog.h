/* The watchdog: finds CPUs that hang. docs/watchdog.md has what it finds, and what it cannot. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <cpu/trap_frame.h>

enum lockup_action { LOCKUP_WARN, LOCKUP_PANIC };

struct watchdog_options {
    uint64_t soft_ns; /* how long a CPU may keep everybody else out; 0: for ever */
    uint64_t hard_ns; /* how long a CPU may take no interrupt; 0: for ever */
    uint64_t hung_ns; /* how long a thread may wait for what should not take for ever; 0: for ever */
    enum lockup_action action;
};

#define WATCHDOG_SOFT_NS 2000000000ul
#define WATCHDOG_HARD_NS 3000000000ul
#define WATCHDOG_HUNG_NS 120000000000ul

/* Watches all CPUs that are online from here on. Where nothing interrupts at a moment, as the log says, there is no
 * watchdog. Context: init, thread, after smp_init; once. */
void watchdog_init(const struct watchdog_options *options);

/* From here on the last report lists the threads, what each waits for and what it has. Context: init. */
void watchdog_report_threads(void);

/* An NMI came. True when it was another CPU's finding about this one, which is reported. Context: NMI. */
bool watchdog_answer_nmi(const struct trap_frame *frame);

/* Lockups reported so far. Context: any. */
uint64_t watchdog_nr_lockups(void);
