/* Functions called on other CPUs. The caller waits with interrupts on and so answers calls meanwhile: two that call
 * each other both come back. */
#include <smp/ipi.h>

#include <base/assert.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <cpu/preempt.h>
#include <debug/test.h>
#include <irq/ipi.h>
#include <sync/lockdep.h>

#include "answers.h"
#include "internal.h"
#include "mailbox.h"

static PER_CPU struct mailbox calls; /* [c] and [a]: mailbox.h; one call at a time: threads only, preemption off */

static struct mailbox *calls_of(uint32_t cpu)
{
    return percpu_of(cpu, calls);
}

void call_run_asked(void)
{
    if (answers_are_given())
        mailbox_run(this_cpu_pointer(calls), calls_of);
}

void call_look(void)
{
    if (mailbox_is_asked(this_cpu_pointer(calls))) /* what is called is called in an interrupt */
        irq_ipi_send(smp_apic_id(this_cpu_read(percpu.cpu_number)), IRQ_IPI_VECTOR, VECTOR_CALL);
}

static void run_here(smp_function function, void *argument)
{
    uint64_t flags = irq_save();

    function(argument);
    irq_restore(flags);
}

/* What the lock checker is told of a call; other builds leave it out. */
struct noted_call {
    smp_function function;
    void *argument;
};

static void run_noted(void *noted_call)
{
    const struct noted_call *call = noted_call;
    struct lockdep_map map = {};

    lockdep_function_enter(&map, "call", (uintptr_t)call->function, 0);
    call->function(call->argument);
    lockdep_function_exit(&map);
}

static void call_others(const struct cpu_mask *others, smp_function function, void *argument)
{
    struct mailbox *own = this_cpu_pointer(calls);
    uint32_t here = this_cpu_read(percpu.cpu_number), cpu;

    mailbox_begin(own, function, argument, cpu_mask_count(others));
    cpu_mask_for_each(cpu, others) if (mailbox_drop(calls_of(cpu), here))
        irq_ipi_send(smp_apic_id(cpu), IRQ_IPI_VECTOR, VECTOR_CALL);
}

void smp_call(const struct cpu_mask *cpus, smp_function function, void *argument)
{
    struct noted_call noted = {function, argument};
    struct cpu_mask others;
    uint32_t here;

    ASSERT(irqs_are_enabled() && this_cpu_read(percpu.interrupt_depth) == 0);
    lockdep_wait_for_function("call", (uintptr_t)function);
    if (CONFIG_LOCKDEP) {
        function = run_noted;
        argument = &noted;
    }
    preempt_disable();
    ASSERT(!this_cpu_read(percpu.held_locks) && answers_are_given());
    here = this_cpu_read(percpu.cpu_number);
    cpu_mask_and(&others, cpus, smp_online());
    if (cpu_mask_has(&others, here)) {
        cpu_mask_clear(&others, here);
        call_others(&others, function, argument);
        run_here(function, argument);
    } else {
        call_others(&others, function, argument);
    }
    answers_wait(this_cpu_pointer(calls), calls_of, &others, NULL);
    preempt_enable();
}

void smp_call_one(uint32_t cpu, smp_function function, void *argument)
{
    struct cpu_mask mask = {0};

    cpu_mask_set(&mask, cpu);
    smp_call(&mask, function, argument);
}

void smp_call_all(smp_function function, void *argument)
{
    smp_call(smp_online(), function, argument);
}

INIT void call_init(void)
{
    test_set_each_cpu(smp_call_all);
}
