/* Faults on other CPUs, and on all at once. */
#include <base/errno.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <debug/panic.h>
#include <smp/cpu.h>
#include <smp/ipi.h>

#include "fault.h"

static void write_null(void *argument)
{
    (void)argument;
    fault_write(opaque_pointer((void *)40), 1);
}

/* -ENODEV where there is one CPU. */
FAULT(other_cpu, 45, "a fault on the last CPU: its report says where the others are, which have stopped")
{
    if (smp_nr_online() == 1)
        return -ENODEV;
    smp_call_one(smp_nr_online() - 1, write_null, NULL);
    return 0;
}

static uint32_t nr_arrived; /* [a] */

static void wait_for_all(void)
{
    __atomic_fetch_add(&nr_arrived, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&nr_arrived, __ATOMIC_SEQ_CST) < smp_nr_online())
        cpu_relax();
}

static void panic_together(void *argument)
{
    (void)argument;
    wait_for_all();
    panic("all CPUs at once");
}

FAULT(all_cpus, 45, "every CPU panics at once: one report")
{
    smp_call_all(panic_together, NULL);
    return 0;
}

/* CPU 0 panics, the others spin, interrupts off. */
static void panic_or_spin(void *argument)
{
    const uint32_t *the_cpu = argument;

    wait_for_all();
    if (this_cpu_read(percpu.cpu_number) == *the_cpu)
        panic("the others have interrupts off");
    for (;;)
        cpu_relax();
}

FAULT(deaf_cpus, 45, "a panic while all other CPUs spin with interrupts off: they are stopped all the same")
{
    uint32_t here = this_cpu_read(percpu.cpu_number);

    smp_call_all(panic_or_spin, &here);
    return 0;
}
