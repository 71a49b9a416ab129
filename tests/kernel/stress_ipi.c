/* Every CPU calls every other, and asks it to reschedule: each call is run once by each it was meant for. */
#include <cpu/cpu_mask.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <smp/cpu.h>
#include <smp/ipi.h>

#include "stress.h"

struct call {
    struct cpu_mask by; /* [a] who has run it */
    uint32_t nr_twice;  /* [a] */
};

static void take_call(void *argument)
{
    struct call *call = argument;

    if (irqs_are_enabled())
        stress_fail("ipi: called with interrupts on");
    if (cpu_mask_set_atomic(&call->by, this_cpu_read(percpu.cpu_number)))
        __atomic_fetch_add(&call->nr_twice, 1, __ATOMIC_RELAXED); /* smp_call orders it */
}

static void choose(struct stress_worker *worker, struct cpu_mask *cpus)
{
    cpu_mask_clear_all(cpus);
    for (uint32_t cpu = 0; cpu < smp_nr_online(); cpu++)
        if (stress_roll(worker, 2) == 0)
            cpu_mask_set(cpus, cpu);
}

static void work_ipi(struct stress_worker *worker)
{
    uint32_t one = (uint32_t)stress_roll(worker, smp_nr_online());
    struct call call = {0};
    struct cpu_mask meant;

    switch (stress_roll(worker, 4)) {
    case 0:
        cpu_mask_clear_all(&meant);
        cpu_mask_set(&meant, one);
        smp_call_one(one, take_call, &call);
        break;
    case 1:
        choose(worker, &meant);
        smp_call(&meant, take_call, &call);
        break;
    case 2:
        meant = *smp_online();
        smp_call_all(take_call, &call);
        break;
    default:
        ipi_reschedule(one);
        return;
    }
    if (stress_errs(worker))
        cpu_mask_set(&meant, smp_nr_online()); /* as if one had not been called */
    if (call.nr_twice > 0 || !cpu_mask_is_equal(&call.by, &meant))
        stress_fail("ipi: meant for CPUs %lx, run by %lx, %u times too often", meant.words[0], call.by.words[0],
                    call.nr_twice);
}

const struct stress_kind stress_ipi = {.name = "ipi", .work = work_ipi};
