/* Making other CPUs forget translations (mm/tlb.h). Interrupts are off while a CPU waits for the others, so that
 * nothing on it asks a second time meanwhile; it does what the others ask of it as it waits, so that two that ask each
 * other both come back. No spinlock is held: a CPU that waits for one, interrupts off, would not answer. Who is halted
 * idle is not woken (mm/tlb_idle.h), but for tables: those are freed next, and a CPU looks ahead through them before it
 * comes to forget them. */
#include "internal.h"

#include <base/address.h>
#include <base/assert.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <irq/ipi.h>
#include <mm/tlb.h>
#include <mm/tlb_idle.h>

#include "answers.h"
#include "mailbox.h"

struct range {
    vaddr_t base;
    uint64_t length;
};

static PER_CPU struct mailbox flushes; /* [c] and [a]: mailbox.h; one at a time: interrupts off */

static struct mailbox *flushes_of(uint32_t cpu)
{
    return percpu_of(cpu, flushes);
}

void shootdown_run_asked(void)
{
    if (answers_are_given())
        mailbox_run(this_cpu_pointer(flushes), flushes_of);
}

static void flush_here(void *argument)
{
    const struct range *range = argument;

    tlb_flush_local_range(range->base, range->length);
}

/* Takes those out that need not be asked. */
static void pass_idle(struct cpu_mask *cpus)
{
    uint32_t cpu;

    tlb_mark_begin();
    cpu_mask_for_each(cpu, cpus) if (tlb_mark_idle(cpu)) cpu_mask_clear(cpus, cpu);
}

static void ask_others(struct cpu_mask *others, struct range *range, bool has_tables)
{
    uint32_t here = this_cpu_read(percpu.cpu_number), cpu;

    *others = *smp_online();
    cpu_mask_clear(others, here);
    if (!has_tables)
        pass_idle(others);
    mailbox_begin(this_cpu_pointer(flushes), flush_here, range, cpu_mask_count(others));
    cpu_mask_for_each(cpu, others) if (mailbox_drop(flushes_of(cpu), here))
        irq_ipi_send(smp_apic_id(cpu), IRQ_IPI_VECTOR, VECTOR_TLB);
}

static void flush_others(vaddr_t base, uint64_t length, bool has_tables)
{
    struct range range = {.base = base, .length = length};
    struct cpu_mask others;
    uint64_t flags;

    if (smp_nr_online() == 1)
        return;
    flags = irq_save();
    ASSERT(!this_cpu_read(percpu.held_locks) && answers_are_given()); /* two that join would wait for each other */
    ask_others(&others, &range, has_tables);
    answers_wait(this_cpu_pointer(flushes), flushes_of, &others, shootdown_run_asked);
    irq_restore(flags);
}

INIT void shootdown_init(void)
{
    tlb_set_others(flush_others);
}
