#include <debug/bench.h>
#include <irq/chip.h>

#define VECTOR 0x2f /* one of those that the 8259s were moved to, and nobody has */

static enum irq_result claim(void *context)
{
    (void)context;
    return IRQ_HANDLED;
}

/* From the interrupted instruction to the next: entry, dispatch, a handler that does nothing, the end of the interrupt
 * at the controller, and back. The controller has none in service: how it delivers one is not counted. */
KERNEL_BENCH(interrupt, 1000)
{
    struct irq *irq;
    uint8_t vector;

    if (irq_request_local(VECTOR, 0, claim, NULL, "bench", &vector, &irq) != 0)
        return;
    bench_start();
    for (uint64_t i = 0; i < iterations; i++)
        __asm__ volatile("int %0" : : "i"(VECTOR) : "memory");
    bench_stop();
    irq_release(irq);
}
