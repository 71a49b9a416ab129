/* The vectors, and the interrupt that only brings the scheduler. */
#include <smp/ipi.h>

#include <cpu/percpu.h>
#include <irq/chip.h>
#include <irq/ipi.h>

#include "internal.h"

static const uint8_t vectors[IPI_KINDS] = {VECTOR_RESCHEDULE, VECTOR_CALL, VECTOR_TLB};

static void (*reschedule)(void); /* [a] */

static void handle_reschedule(void)
{
    void (*function)(void) = __atomic_load_n(&reschedule, __ATOMIC_ACQUIRE); /* pairs with the release below */

    if (function)
        function();
}

void ipi_set_reschedule(void (*function)(void))
{
    __atomic_store_n(&reschedule, function, __ATOMIC_RELEASE);
}

void ipi_reschedule(uint32_t cpu)
{
    const struct irq_controller *controller = irq_controller();

    if (!controller)
        return;
    if (cpu == this_cpu_read(percpu.cpu_number))
        irq_ipi_send(controller->own_id(), IRQ_IPI_VECTOR, VECTOR_RESCHEDULE);
    else
        irq_ipi_send(smp_apic_id(cpu), IRQ_IPI_VECTOR, VECTOR_RESCHEDULE);
}

uint64_t ipi_count(uint32_t cpu, enum ipi_kind kind)
{
    return irq_ipi_count(vectors[kind], cpu);
}

const char *ipi_name(enum ipi_kind kind)
{
    static const char *const names[IPI_KINDS] = {"reschedule", "call", "TLB flush"};

    return names[kind];
}

INIT int ipi_init(void)
{
    static void (*const functions[IPI_KINDS])(void) = {handle_reschedule, call_run_asked, shootdown_run_asked};
    int error = 0;

    for (unsigned kind = 0; kind < IPI_KINDS && !error; kind++)
        error = irq_ipi_claim(vectors[kind], functions[kind], ipi_name((enum ipi_kind)kind));
    return error;
}
