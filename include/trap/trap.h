/* Exceptions and interrupts: who handles which of the 256 vectors. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <cpu/trap_frame.h>

/* Loads the IDT with all 256 gates on this CPU. The first C call of the kernel: from here on no fault is silent,
 * console or not. Every exception still runs on the stack it interrupts. Context: init. */
void trap_init_early(void);

/* Gives double fault, NMI, machine check and the report stacks of their own, and masks the 8259s. The TSS is loaded.
 * Context: init. */
void trap_init(void);

/* Turns machine checks on, where the CPU has them. CPU features are known. Context: init, and init of each other CPU.
 */
void trap_init_machine_check(void);

/* Looks for corrected errors this often from here on, by a timer that wakes a halted CPU; 0: only while the CPU is
 * awake anyway. There is no timer where the CPU has no error banks. Timers work. Context: init. */
void trap_start_machine_check_poll(uint64_t period_ns);

/* Takes away the pages between those stacks, so that running over one faults. Memory is up. Returns 0 or -ENOMEM.
 * Context: init. */
MUST_CHECK int trap_guard_stacks(void);

/* Another CPU's stacks for double fault, NMI, machine check and its report: provided by the boot CPU, -ENOMEM with
 * nothing left, or taken back. Named for the number the CPU has then; trap_name_cpu names them for another. */
MUST_CHECK int trap_prepare_cpu(uint32_t cpu);
void trap_undo_cpu(uint32_t cpu);
void trap_name_cpu(uint32_t cpu);

/* Segments, TSS and IDT of the CPU that runs this, which trap_prepare_cpu provided for: from here on no fault on it is
 * silent. Context: init of a CPU. */
void trap_init_cpu(void);

/* Runs in interrupt context, interrupts off. */
typedef void (*interrupt_function)(struct trap_frame *frame);

/* Claims an interrupt vector, 32 to 255; NULL gives it back. Returns 0, -EINVAL for another vector, -EBUSY when it is
 * claimed already. Context: any. */
MUST_CHECK int trap_set_handler(unsigned vector, interrupt_function function);

/* Called for an exception that no fix-up foresees, before it is fatal; returns true when it has dealt with it and the
 * interrupted code may go on. Interrupts off. */
typedef bool (*exception_function)(struct trap_frame *frame);

/* Claims an exception other than NMI, double fault and machine check; NULL gives it back. Errors as above. */
MUST_CHECK int trap_set_exception_handler(unsigned vector, exception_function function);

/* How often an unclaimed vector has been raised. Context: any. */
uint32_t trap_unclaimed_count(unsigned vector);
