/* Interrupts between CPUs. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <cpu/cpu_mask.h>

/* Runs in interrupt context, interrupts off: short, and waits for nobody. */
typedef void (*smp_function)(void *argument);

/* Runs function on every CPU of the set that is online, each in an interrupt there (the caller's own included: called
 * directly, interrupts off), and returns when all have run it. What the caller wrote before is seen by them, what they
 * wrote is seen by the caller afterwards. Any number of CPUs may do so at once, and call each other. Nothing is
 * allocated; the caller is not preempted meanwhile. Context: thread, interrupts on, no spinlock held (asserted). */
void smp_call(const struct cpu_mask *cpus, smp_function function, void *argument);
void smp_call_one(uint32_t cpu, smp_function function, void *argument);
void smp_call_all(smp_function function, void *argument);

/* Has this CPU, the caller's own perhaps, go through the end of an interrupt soon, where the scheduler looks at
 * preempt_request: does nothing else. Asked for several times before it is taken it comes once. Context: any but NMI.
 */
void ipi_reschedule(uint32_t cpu);

/* What a reschedule interrupt does before it ends, interrupts off: preempt_request, as a rule. Context: init, once. */
void ipi_set_reschedule(void (*function)(void));

enum ipi_kind { IPI_RESCHEDULE, IPI_CALL, IPI_TLB, IPI_KINDS };

/* How many of these a CPU has taken. Context: any. */
uint64_t ipi_count(uint32_t cpu, enum ipi_kind kind);
const char *ipi_name(enum ipi_kind kind);

/* Stops every other CPU for good, with NMIs, for a panic: returns when all have stopped, or did not within a bounded
 * time. Each says where it was (smp/where.h). Context: any. */
void smp_stop_others(void);
