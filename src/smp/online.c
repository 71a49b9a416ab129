/* Who is online. */
#include "internal.h"

#include <cpu/percpu.h>
#include <irq/chip.h>

static struct cpu boot_cpu = {.state = CPU_ONLINE}; /* [I] */

static struct cpu *boot_cpu_alone = &boot_cpu;  /* [I] */
struct cpu **smp_cpus = &boot_cpu_alone;        /* [I] once smp_init is done */
static struct cpu_mask online = {.words = {1}}; /* [a] */
static uint32_t nr_online = 1;                  /* [a] */

void smp_set_online(uint32_t cpu, bool is_online)
{
    bool was_online = is_online ? cpu_mask_set_atomic(&online, cpu) : cpu_mask_clear_atomic(&online, cpu);

    if (was_online != is_online)
        __atomic_fetch_add(&nr_online, is_online ? 1 : UINT32_MAX, __ATOMIC_RELEASE);
}

uint32_t smp_nr_online(void)
{
    return __atomic_load_n(&nr_online, __ATOMIC_ACQUIRE); /* pairs with the release above */
}

bool smp_is_online(uint32_t cpu)
{
    return cpu_mask_has(&online, cpu);
}

uint32_t smp_next_online(uint32_t cpu)
{
    uint32_t next = cpu_mask_next(&online, cpu + 1);

    return next < CPU_MAX ? next : cpu_mask_next(&online, 0);
}

const struct cpu_mask *smp_online(void)
{
    return &online;
}

uint32_t smp_apic_id(uint32_t cpu)
{
    return smp_cpus[cpu]->apic_id;
}

struct cpu_place smp_place(uint32_t cpu)
{
    return smp_cpus[cpu]->place;
}
