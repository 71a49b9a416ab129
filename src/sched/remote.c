#include "remote.h"

#include <base/assert.h>
#include <cpu/interrupts.h>

#include "cpu_queue.h"

/* The slice's timer, due now, is an interrupt as soon as interrupts are on. */
void remote_reschedule(uint32_t cpu)
{
    uint64_t flags = irq_save();

    ASSERT(cpu == this_cpu_read(percpu.cpu_number));
    slice_arm(this_cpu_queue(), 0);
    irq_restore(flags);
}
