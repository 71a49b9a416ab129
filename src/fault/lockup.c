/* CPUs that hang, for a while: long enough for the watchdog to find them, then the kernel goes on. */
#include <base/errno.h>
#include <cpu/cpu_mask.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <cpu/preempt.h>
#include <sched/thread.h>
#include <smp/cpu.h>
#include <time/clock.h>

#include "fault.h"

#define HANG_NS (5 * NS_PER_S)

static NOINLINE void fault_spin(void)
{
    for (uint64_t end = clock_now_ns() + HANG_NS; clock_now_ns() < end;)
        cpu_relax();
}

FAULT(soft_lockup, 38, "a thread spins with preemption off: found after two seconds, with its stack")
{
    preempt_disable();
    fault_spin();
    preempt_enable();
    return 0;
}

static NOINLINE int fault_spin_deaf(void *argument)
{
    uint64_t flags = irq_save();

    (void)argument;
    fault_spin();
    irq_restore(flags);
    return 0;
}

/* -ENODEV where there is one CPU: nobody would notice. */
FAULT(hard_lockup, 39, "a CPU spins with interrupts off: found after three seconds by another one, with its stack")
{
    if (smp_nr_online() == 1)
        return -ENODEV;
    return fault_spin_deaf(NULL);
}

static PER_CPU struct thread *deaf_thread;

static int start_on(uint32_t cpu)
{
    struct cpu_mask mask = {0};

    cpu_mask_set(&mask, cpu);
    return thread_create(percpu_of(cpu, deaf_thread), &(struct thread_options){.name = "deaf", .affinity = &mask},
                         fault_spin_deaf, NULL);
}

/* They answer no interrupt, a TLB flush's neither; so nothing is done but wait for them. */
FAULT(hard_lockups, 39, "all CPUs but the first spin with interrupts off: each is found, with its stack")
{
    uint32_t cpu, nr_started = 0;
    int error = smp_nr_online() == 1 ? -ENODEV : 0;

    for (cpu = 1; cpu < smp_nr_online() && !error; cpu++) {
        error = start_on(cpu);
        if (!error)
            nr_started++;
    }
    for (cpu = 1; cpu <= nr_started; cpu++)
        (void)thread_join(*percpu_of(cpu, deaf_thread), NULL);
    return error;
}
