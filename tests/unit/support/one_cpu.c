/* One CPU, as time sees it: no interrupts between CPUs. For tests of its sources. */
#include <base/errno.h>
#include <irq/chip.h>
#include <irq/deferred.h>
#include <irq/ipi.h>

uint32_t percpu_nr_cpus(void)
{
    return 1;
}

int irq_ipi_claim(unsigned vector, void (*function)(void), const char *name)
{
    return 0;
}

void irq_ipi_send(uint32_t apic_id, enum irq_ipi_kind kind, uint8_t argument)
{
}

uint32_t irq_controller_id(uint32_t cpu)
{
    return cpu;
}

void timer_kicked(void);
void timer_kicked(void)
{
}

void deferred_queue(struct deferred *deferred)
{
    deferred->run(deferred);
}
