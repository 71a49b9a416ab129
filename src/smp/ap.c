/* The other CPUs' side of starting (internal.h): from the trampoline to steps->run. */
#include "internal.h"

#include <base/assert.h>
#include <base/errno.h>
#include <cpu/features.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <cpu/reset.h>
#include <debug/log.h>
#include <mm/tlb.h>

#include "answers.h"
#include "trampoline.h"

/* Says what differs from the boot CPU; -ENODEV where something is missing that may be used anywhere. */
static int check_features(uint32_t apic_id)
{
    uint32_t words[CPU_NR_WORDS];
    enum cpu_feature feature;
    unsigned cursor = 0;
    int error = 0;

    cpu_features_read(words);
    while (cpu_features_extra(cpu_identity()->words, words, &cursor, &feature)) {
        log_warn("smp: the CPU with APIC id %u has no %s, CPU 0 has", apic_id, cpu_feature_word(feature));
        if (cpu_feature_is_needed(feature))
            error = -ENODEV;
    }
    cursor = 0;
    while (cpu_features_extra(words, cpu_identity()->words, &cursor, &feature))
        log_info("smp: the CPU with APIC id %u has %s, CPU 0 has not", apic_id, cpu_feature_word(feature));
    return error;
}

static void set_state(struct cpu *cpu, enum cpu_state state)
{
    __atomic_store_n(&cpu->state, state, __ATOMIC_RELEASE); /* pairs with the acquire in start.c */
}

/* False where the boot CPU ran out of patience first. */
static bool change_state(struct cpu *cpu, enum cpu_state from, enum cpu_state to)
{
    uint32_t expected = from;

    return __atomic_compare_exchange_n(&cpu->state, &expected, to, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static void begin(struct cpu *cpu)
{
    int error = check_features(cpu->apic_id);

    if (!error)
        error = smp_steps->begin();
    if (!error)
        mtrr_check(cpu->apic_id);
    if (error) {
        cpu->error = error;
        set_state(cpu, CPU_FAILED);
        machine_halt();
    }
    cpu->place = topology_read(cpu->apic_id);
    set_state(cpu, CPU_READY);
}

/* Halted, until the boot CPU has settled what number this is. What it sends to say so ends the halt; any interrupt
 * does. */
static void wait_to_join(const struct cpu *cpu)
{
    while (__atomic_load_n(&cpu->state, __ATOMIC_ACQUIRE) != CPU_JOINING) { /* pairs with the release in let_join */
        cpu_halt();
        irq_disable();
    }
}

void ap_main(struct cpu *cpu)
{
    if (!change_state(cpu, CPU_EXPECTED, CPU_BEGUN))
        machine_halt();
    begin(cpu);
    wait_to_join(cpu);
    tlb_flush_local(); /* whoever changed mappings before this CPU was online did not tell it */
    smp_steps->join();
    if (!change_state(cpu, CPU_JOINING, CPU_ONLINE))
        machine_halt(); /* nobody tells it any more which mappings to forget */
    answers_begin();
    smp_steps->run();
    machine_halt();
}
