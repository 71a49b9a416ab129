/* What each CPU but the first needs of the trap layer: the boot CPU's stacks are in trap.c, as it needs them before
 * there is memory. */
#include <trap/trap.h>

#include <base/errno.h>
#include <base/layout.h>
#include <cpu/gdt.h>
#include <cpu/percpu.h>
#include <debug/report.h>
#include <lib/format.h>
#include <mm/vmalloc.h>

#include "idt.h"

#define NAME_MAX 32

/* In the order of the IST; the last two are no entries of it. */
enum { STACK_DOUBLE_FAULT, STACK_NMI, STACK_MACHINE_CHECK, STACK_REPORT, STACK_INTERRUPT, NR_STACKS };

struct cpu_stack {
    void *base;
    char name[NAME_MAX]; /* the area's name, as long as there is one */
};

static PER_CPU struct cpu_stack stacks[NR_STACKS]; /* [I] while the CPU runs */

static size_t size_of(unsigned which)
{
    return which == STACK_INTERRUPT ? INTERRUPT_STACK_SIZE : KERNEL_STACK_SIZE;
}

static void *top_of(const struct cpu_stack *of_cpu, unsigned which)
{
    return (char *)of_cpu[which].base + size_of(which);
}

void trap_name_cpu(uint32_t cpu)
{
    static const char *const uses[NR_STACKS] = {"double fault", "NMI", "machine check", "report", "interrupt"};
    struct cpu_stack *of_cpu = *percpu_of(cpu, stacks);

    for (unsigned i = 0; i < NR_STACKS; i++)
        snprintf(of_cpu[i].name, sizeof(of_cpu[i].name), "%s, CPU %u", uses[i], cpu);
}

int trap_prepare_cpu(uint32_t cpu)
{
    struct cpu_stack *of_cpu = *percpu_of(cpu, stacks);

    trap_name_cpu(cpu);
    for (unsigned i = 0; i < NR_STACKS; i++) {
        of_cpu[i].base = stack_alloc_sized(of_cpu[i].name, size_of(i));
        if (!of_cpu[i].base) {
            trap_undo_cpu(cpu);
            return -ENOMEM;
        }
    }
    return 0;
}

void trap_undo_cpu(uint32_t cpu)
{
    struct cpu_stack *of_cpu = *percpu_of(cpu, stacks);

    for (unsigned i = 0; i < NR_STACKS; i++) {
        stack_free(of_cpu[i].base);
        of_cpu[i].base = NULL;
    }
}

void trap_init_cpu(void)
{
    const struct cpu_stack *mine = *this_cpu_pointer(stacks);

    gdt_init();
    tss_set_ist(IST_DOUBLE_FAULT, top_of(mine, STACK_DOUBLE_FAULT));
    tss_set_ist(IST_NMI, top_of(mine, STACK_NMI));
    tss_set_ist(IST_MACHINE_CHECK, top_of(mine, STACK_MACHINE_CHECK));
    report_set_stack(top_of(mine, STACK_REPORT));
    this_cpu_write(percpu.interrupt_stack, top_of(mine, STACK_INTERRUPT));
    idt_load(); /* last: every gate finds its stack */
}
