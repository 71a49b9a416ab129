/* What reports and system requests ask of the other CPUs, of whoever can reach them (smp). Without them there is one
 * CPU. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <cpu/trap_frame.h>

/* All of them: any context, no lock, no allocation. Waits are bounded. */
struct report_cpus {
    /* How many run besides this one. */
    uint32_t (*nr_others)(void);
    /* Stops every other CPU for good; each says where it is first, or is found not to answer. */
    void (*stop_others)(void);
    /* Has every other CPU say where it is and go on. False while another CPU is asking. */
    bool (*ask_others)(void);
    /* This CPU is where frame says, and will be stopped: said by itself, as it can no longer be asked. */
    void (*say_stopped)(const struct trap_frame *frame);
    /* What they said, a line at a time; write gets text without a newline. */
    void (*describe_others)(void (*write)(const char *line));
    /* The same after ask_others: they may be asked by another CPU from here on. */
    void (*end_asking)(void);
};

/* cpus must stay valid. Context: init. */
void report_set_cpus(const struct report_cpus *cpus);

/* NULL while there is one CPU. Context: any. */
const struct report_cpus *report_cpus(void);
