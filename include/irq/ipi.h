/* Interrupts from CPU to CPU as the controller sends them, and the vectors they arrive at: those mean the same on every
 * CPU and need no line (irq/irq.h). What they are used for is smp's. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

#define IPI_FIRST_VECTOR 0xf0
#define IPI_LAST_VECTOR  0xfc

/* Has function run, interrupts off, on whichever CPU takes this vector; it is ended afterwards. name must stay valid.
 * Returns 0, -EINVAL for a vector outside the range above, -EBUSY where it is taken. It stays for ever. Context: init.
 */
MUST_CHECK int irq_ipi_claim(unsigned vector, void (*function)(void), const char *name);

/* How often a CPU has taken it, and whose it is: NULL for nobody's. Context: any. */
uint64_t irq_ipi_count(unsigned vector, uint32_t cpu);
const char *irq_ipi_name(unsigned vector);

/* Runs it where this vector is one that was claimed. Context: irq-off. */
bool irq_ipi_run(unsigned vector);

enum irq_ipi_kind {
    IRQ_IPI_VECTOR,  /* argument: the vector */
    IRQ_IPI_NMI,     /* argument: 0, as for the next */
    IRQ_IPI_INIT,    /* back to waiting for a start-up interrupt */
    IRQ_IPI_STARTUP, /* argument: the number of the page below 1 MiB to start in */
};

/* Sends one through the controller (irq/chip.h); nothing where there is none. Context: any; what was stored before is
 * seen by the CPU that is interrupted. */
void irq_ipi_send(uint32_t apic_id, enum irq_ipi_kind kind, uint8_t argument);
