/* The per-CPU area's fixed part, and the boot CPU's. */
#include <cpu/percpu.h>

#include <cpu/preempt.h>
#include <cpu/random.h>

__attribute__((section(".percpu.first"))) struct percpu percpu;

/* Linker script: the size of an area, and the boot CPU's own. */
extern char __percpu_size[], __percpu_boot_area[];

static uint32_t nr_cpus;                              /* [a] */
static uintptr_t boot_gs_base;                        /* [I] */
static const uintptr_t *all_gs_bases = &boot_gs_base; /* [a] */

uint32_t percpu_nr_cpus(void)
{
    return __atomic_load_n(&nr_cpus, __ATOMIC_RELAXED);
}

uintptr_t percpu_gs_base(uint32_t cpu)
{
    return __atomic_load_n(&all_gs_bases, __ATOMIC_ACQUIRE)[cpu]; /* pairs with the release in percpu_set_areas */
}

size_t percpu_area_bytes(void)
{
    return (size_t)(uintptr_t)__percpu_size;
}

void percpu_set_areas(const uintptr_t *gs_bases)
{
    __atomic_store_n(&all_gs_bases, gs_bases, __ATOMIC_RELEASE);
}

void percpu_set_nr_cpus(uint32_t count)
{
    __atomic_store_n(&nr_cpus, count, __ATOMIC_RELEASE);
}

/* The lowest byte stays 0, so that a string that overruns a buffer cannot reproduce the canary. */
static uint64_t new_canary(void)
{
    return boot_random() & ~(uint64_t)0xff;
}

void percpu_init_area(uint32_t cpu)
{
    struct percpu *area = percpu_of(cpu, percpu);

    area->self = area;
    area->cpu_number = cpu;
    area->preempt_count = PREEMPT_NO_RESCHEDULE;
    area->stack_canary = new_canary();
}

/* Runs without a canary of its own: it changes the value that a protected function would compare. */
INIT __attribute__((no_stack_protector)) void percpu_init_boot_cpu(void)
{
    this_cpu_write(percpu.cpu_number, 0);
    this_cpu_write(percpu.preempt_count, PREEMPT_NO_RESCHEDULE);
    nr_cpus = 1;
    boot_gs_base = (uintptr_t)__percpu_boot_area - PERCPU_LINK_BASE;
    this_cpu_write(percpu.stack_canary, new_canary());
}
