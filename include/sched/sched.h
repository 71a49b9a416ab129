/* The scheduler as those see it who start CPUs, and the way out of an interrupt. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <cpu/preempt.h>

/* The code that runs becomes the boot thread, and the boot CPU gets an idle thread. Memory is up. Returns 0 or -ENOMEM.
 * Context: init. */
MUST_CHECK int sched_init(void);

/* Prepares a CPU for threads, before it is started: its idle thread. Returns 0 or -ENOMEM. Context: thread, on a CPU
 * that runs. */
MUST_CHECK int sched_prepare_cpu(uint32_t cpu);

/* Where an application processor ends up: from here on it takes threads. The code that runs becomes its idle thread, on
 * the stack it runs on. sched_prepare_cpu was called for it. Context: init, on the CPU concerned, interrupts off. */
NORETURN void sched_run_cpu(void);

/* Waits until everybody who has ended is off its stack, and gives back the stacks kept for new threads. For tests that
 * compare counts. Context: thread. */
void threads_settle(void);

/* All CPUs are there: from here on threads run on any of them that their affinity has, and change CPUs. Before, a
 * thread stays where it is while it may. Context: init. */
void sched_spread_threads(void);

/* Halts this CPU until an interrupt, as the running thread, where nobody else wants it; false, at once, where somebody
 * does. For a wait that ends soon: it spares the switch to the idle thread and back, but until then the CPU looks busy
 * to others and the time is the thread's. Who ends the wait on another CPU has to interrupt this one. The thread may be
 * on another CPU afterwards. Context: thread with interrupts off, and off again on return. */
bool sched_halt_here(void);

/* The trap layer calls it last on the way out of the outermost interrupt, when the interrupted code had interrupts on
 * and percpu.preempt_count is 0. Context: irq-off. */
void sched_interrupt_exit(void);
