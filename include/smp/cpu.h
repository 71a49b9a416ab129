/* The machine's CPUs: which run the kernel, and starting them. CPU 0 is the one that booted; the others are numbered
 * from 1 without gaps, in the order of the firmware's table (ACPI's MADT), CPUs that did not come up left out. APIC ids
 * are the hardware's and may have gaps. Once smp_init is done neither the numbers nor the set change. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <cpu/cpu_mask.h>

/* What a CPU does to join, given by the boot list (src/main.c), which may name every subsystem. */
struct smp_cpu_steps {
    /* On the boot CPU: provides what this CPU will need from its first moment on, stacks for instance. Its per-CPU area
     * exists (percpu_of). Returns 0, or an error, with nothing left: the CPU is left out. */
    int (*prepare)(uint32_t cpu);
    /* On the boot CPU: takes that back, of a CPU that has never run or has stopped for good. */
    void (*undo)(uint32_t cpu);
    /* On the CPU itself, interrupts off, to where it can take interrupts. Its number is not final yet. An error leaves
     * it out. */
    int (*begin)(void);
    /* On the boot CPU: its number is final, it is halted. Returns 0, or an error: it, and those with higher numbers,
     * stay halted for good, with what they have. */
    int (*number)(uint32_t cpu);
    /* On the CPU itself, interrupts off, number final, one CPU after the other in no certain order: what is left to do
     * before threads may run. It may allocate; it asks other CPUs for nothing, a flush for instance: that
     * is asserted. */
    void (*join)(void);
    /* On the CPU itself, interrupts off: never returns. */
    void (*run)(void);
};

/* Interrupts between CPUs, while there is one, which may send them to itself. Context: init, after the interrupt
 * controller. */
void smp_init_boot_cpu(void);

/* Starts the other CPUs, so that there are up to `most` (1 to CPU_MAX), and returns when each is online or left out,
 * which is logged. Context: init, thread; timers, interrupts and the heap work. steps stay valid. */
void smp_init(const struct smp_cpu_steps *steps, uint32_t most);

/* How many CPUs are online: they take interrupts and IPIs. Their numbers are 0 to smp_nr_online() - 1, unless one
 * stopped while it joined, which is logged: it keeps its number. 1 before smp_init is done. Context: any. */
uint32_t smp_nr_online(void);
bool smp_is_online(uint32_t cpu);
/* Who is online after this one, by number; the first one after the last. Context: any. */
uint32_t smp_next_online(uint32_t cpu);
/* All that are online. */
const struct cpu_mask *smp_online(void);

/* The APIC id of a CPU that is online. Context: any. */
uint32_t smp_apic_id(uint32_t cpu);

/* Where a CPU sits: numbers as the hardware gives them, unique within the next larger thing, with gaps perhaps. */
struct cpu_place {
    uint32_t package, core, thread;
};

/* Of a CPU that is online. Context: any. */
struct cpu_place smp_place(uint32_t cpu);
