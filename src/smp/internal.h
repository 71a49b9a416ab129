/* Shared by the files of this module.
 *
 * A CPU on its way, as the boot CPU sees it (enum cpu_state), and what moves it on:
 *
 *     EXPECTED -> BEGUN      the CPU itself, in C on its own stack
 *     EXPECTED -> LEFT_OUT   the boot CPU, out of patience; by compare and exchange, so that only one of both happens
 *     BEGUN -> READY, FAILED the CPU, when what is done before its number is final is done, or cannot be
 *     READY -> JOINING       the boot CPU: the number is final, the CPU is online
 *     JOINING -> ONLINE      the CPU
 *     JOINING -> LEFT_OUT    the boot CPU, as above, or who waits for an answer (answers.h)
 *
 * A CPU that is READY takes interrupts and halts. One that failed halts for good, interrupts off. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <cpu/cpu_mask.h>
#include <smp/cpu.h>

enum cpu_state { CPU_EXPECTED, CPU_BEGUN, CPU_READY, CPU_FAILED, CPU_JOINING, CPU_ONLINE, CPU_LEFT_OUT };

struct cpu {
    uint32_t apic_id; /* [I] once the CPU is started */
    uint32_t state;   /* [a] enum cpu_state */
    int error;        /* why it failed; written before state */
    void *stack;      /* the one it starts on, and idles on */
    void *area;       /* its per-CPU variables */
    char stack_name[16];
    struct cpu_place place; /* [I] once it is ready */
};

/* By number; [I] once smp_init is done, but for state. Before that there is the boot CPU alone. */
extern struct cpu **smp_cpus;
extern const struct smp_cpu_steps *smp_steps; /* [I] */

/* The CPU with this number is online, or is not any more. Atomic. */
void smp_set_online(uint32_t cpu, bool is_online);

/* The per-CPU areas' GS bases, by number; [I] once smp_init is done. */
extern uintptr_t *smp_gs_bases;

/* Provides area, stack and what steps->prepare does; 0 or -ENOMEM with nothing left. free takes it back. Context: init,
 * thread. */
MUST_CHECK int cpu_prepare(uint32_t number);
void cpu_unprepare(uint32_t number);
/* A CPU that is READY, halted, gets this number instead of a higher one. */
void cpu_renumber(uint32_t from, uint32_t to);

/* Where the CPU that runs this sits. */
struct cpu_place topology_read(uint32_t apic_id);

/* Memory that is cached on one CPU and not on another is not coherent (SDM 3A 11.11.8): keeps the boot CPU's memory
 * type ranges; sets this CPU's where they differ, or says that it cannot; says of how many CPUs that were. Context:
 * init; irq-off, on a CPU that starts; init. */
void mtrr_note_boot_cpu(void);
void mtrr_check(uint32_t apic_id);
void mtrr_say_corrected(void);

/* Claims the vectors and tells the layers below whom to ask. Context: init. */
MUST_CHECK int ipi_init(void);
void call_init(void);
void shootdown_init(void);
void where_init(void);

/* The handlers. Context: irq-off. */
void call_run_asked(void);
void shootdown_run_asked(void);

/* Has an interrupt come for calls that this CPU was asked for before it answered (answers.h). Context: irq-off. */
void call_look(void);

enum { VECTOR_RESCHEDULE = 0xf0, VECTOR_CALL = 0xf1, VECTOR_TLB = 0xf2 };
