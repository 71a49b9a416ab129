#include "answers.h"

#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <cpu/tsc.h>
#include <debug/log.h>
#include <irq/chip.h>
#include <time/clock.h>

#include "internal.h"

#define PATIENCE_NS (10 * NS_PER_S) /* longer than the boot CPU's, who sees whether others get on */
#define POLLS_MIN   100000u         /* where the clock jumps */

static PER_CPU bool does_answer; /* [c] */

bool answers_are_given(void)
{
    return READ_ONCE(*this_cpu_pointer(does_answer));
}

void answers_begin(void)
{
    WRITE_ONCE(*this_cpu_pointer(does_answer), true);
    shootdown_run_asked();
    call_look();
}

bool smp_give_up(uint32_t cpu)
{
    uint32_t expected = CPU_JOINING;

    if (!__atomic_compare_exchange_n(&smp_cpus[cpu]->state, &expected, CPU_LEFT_OUT, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
        return false;
    irq_cpu_close(cpu);
    smp_set_online(cpu, false); /* not before it may not go on: who sees that takes back what it asked */
    log_error("smp: CPU %u, APIC id %u, stopped on its way: given up", cpu, smp_cpus[cpu]->apic_id);
    return true;
}

static bool is_any_lost(const struct cpu_mask *asked)
{
    uint64_t lost = 0;

    for (uint32_t word = 0; word < CPU_MASK_WORDS; word++)
        lost |= asked->words[word] & ~READ_ONCE(smp_online()->words[word]);
    return lost != 0;
}

static void take_back(struct mailbox *own, struct mailbox *(*box_of)(uint32_t cpu), struct cpu_mask *asked)
{
    uint32_t here = this_cpu_read(percpu.cpu_number), cpu;

    cpu_mask_for_each(cpu, asked)
    {
        if (smp_is_online(cpu))
            continue;
        cpu_mask_clear(asked, cpu);
        if (mailbox_take_back(own, box_of(cpu), here))
            log_warn("smp: CPU %u does not wait for CPU %u any more", here, cpu);
    }
}

static void give_up_some(const struct cpu_mask *asked)
{
    uint32_t cpu;

    cpu_mask_for_each(cpu, asked)(void) !smp_give_up(cpu); /* those that are ONLINE stay */
}

void answers_wait(struct mailbox *own, struct mailbox *(*box_of)(uint32_t cpu), struct cpu_mask *asked,
                  void (*meanwhile)(void))
{
    uint64_t since_ns, nr_polls = 0;

    if (mailbox_is_done(own))
        return;
    for (since_ns = tsc_now_ns(); !mailbox_is_done(own); nr_polls++) {
        if (meanwhile)
            meanwhile();
        if (UNLIKELY(is_any_lost(asked)))
            take_back(own, box_of, asked);
        if (UNLIKELY(nr_polls >= POLLS_MIN) && tsc_now_ns() - since_ns >= PATIENCE_NS)
            give_up_some(asked);
        cpu_relax();
    }
}
