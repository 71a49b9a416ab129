/* What a CPU is given before it starts, and what is taken back from one that never ran. */
#include "internal.h"

#include <base/errno.h>
#include <base/layout.h>
#include <cpu/percpu.h>
#include <lib/format.h>
#include <mm/kmalloc.h>
#include <mm/vmalloc.h>

#include "trampoline.h"

uintptr_t *smp_gs_bases;  /* [I] */
struct ap_slot *ap_slots; /* [I] the array */

static void name_stack(uint32_t number)
{
    struct cpu *cpu = smp_cpus[number];

    snprintf(cpu->stack_name, sizeof(cpu->stack_name), "idle, CPU %u", number);
}

/* The area is written through the table of areas that smp_init has set (percpu_set_areas), whose entry this fills. */
int cpu_prepare(uint32_t number)
{
    struct cpu *cpu = smp_cpus[number];
    int error = -ENOMEM;

    cpu->area = vmalloc(percpu_area_bytes(), ALLOC_ZERO);
    if (!cpu->area)
        return -ENOMEM;
    ap_slots[number].gs_base = (uintptr_t)cpu->area - PERCPU_LINK_BASE;
    smp_gs_bases[number] = ap_slots[number].gs_base;
    ap_slots[number].cpu = cpu;
    percpu_init_area(number);
    name_stack(number);
    cpu->stack = stack_alloc(cpu->stack_name);
    if (!cpu->stack)
        goto free_area;
    ap_slots[number].stack_top = (uintptr_t)cpu->stack + KERNEL_STACK_SIZE;
    error = smp_steps->prepare(number);
    if (error)
        goto free_stack;
    return 0;
free_stack:
    stack_free(cpu->stack);
    cpu->stack = NULL;
free_area:
    vfree(cpu->area);
    cpu->area = NULL;
    return error;
}

void cpu_unprepare(uint32_t number)
{
    struct cpu *cpu = smp_cpus[number];

    if (!cpu->area)
        return;
    smp_steps->undo(number);
    stack_free(cpu->stack);
    vfree(cpu->area);
    cpu->stack = cpu->area = NULL;
}

void cpu_renumber(uint32_t from, uint32_t to)
{
    if (from == to)
        return;
    smp_cpus[to] = smp_cpus[from];
    smp_cpus[from] = NULL;
    smp_gs_bases[to] = smp_gs_bases[from];
    percpu_of(to, percpu)->cpu_number = to;
    name_stack(to);
}
