#include <trap/trap.h>

#include <base/address.h>
#include <base/layout.h>
#include <boot/image.h>
#include <cpu/gdt.h>
#include <cpu/percpu.h>
#include <debug/known_stacks.h>
#include <debug/report.h>
#include <mm/paging.h>
#include <mm/stack.h>

#include "idt.h"
#include "machine_check.h"
#include "pic8259.h"

enum emergency_stack { STACK_DOUBLE_FAULT, STACK_NMI, STACK_MACHINE_CHECK, STACK_REPORT, NR_EMERGENCY_STACKS };

/* As large as the other CPUs' (cpu.c), for what docs/stacks.md adds up. Each has a page below that trap_guard_stacks
 * takes away; one more page is above the last. */
struct guarded_stack {
    uint8_t guard[PAGE_SIZE];
    uint8_t memory[KERNEL_STACK_SIZE];
};

static struct {
    struct guarded_stack stacks[NR_EMERGENCY_STACKS];
    uint8_t interrupt_guard[PAGE_SIZE];
    uint8_t interrupt[INTERRUPT_STACK_SIZE];
    uint8_t guard[PAGE_SIZE];
} emergency ALIGNED(PAGE_SIZE); /* [c] the boot CPU's stacks */

/* [I] but for the links of the list they are in (mm/stack.h) */
static struct stack_record records[NR_EMERGENCY_STACKS] = {
    [STACK_DOUBLE_FAULT] = {.name = "double fault"},
    [STACK_NMI] = {.name = "NMI"},
    [STACK_MACHINE_CHECK] = {.name = "machine check"},
    [STACK_REPORT] = {.name = "report"},
};
static struct stack_record interrupt_record = {
    .name = "interrupt", .base = emergency.interrupt, .size_bytes = INTERRUPT_STACK_SIZE}; /* [I] the same */
static struct stack_record boot_record = {
    .name = "boot", .base = boot_stack, .size_bytes = KERNEL_STACK_SIZE}; /* [I] the same */

static void *stack_top(enum emergency_stack which)
{
    return emergency.stacks[which].memory + KERNEL_STACK_SIZE;
}

static bool find_stack(uint64_t address, struct known_stack *found)
{
    struct stack_info stack;

    if (!stack_of_address((const void *)(uintptr_t)address, &stack))
        return false;
    found->name = stack.name;
    found->owner = stack.owner;
    found->low = (uint64_t)(uintptr_t)stack.base;
    found->high = found->low + stack.size_bytes;
    return true;
}

static void register_stacks(void)
{
    for (unsigned i = 0; i < NR_EMERGENCY_STACKS; i++) {
        records[i].base = emergency.stacks[i].memory;
        records[i].size_bytes = KERNEL_STACK_SIZE;
        stack_register(&records[i]);
    }
    stack_register(&interrupt_record);
    stack_register(&boot_record);
    known_stack_set_lookup(find_stack);
}

static int take_page_away(const void *page)
{
    int error = paging_unmap(vaddr_of(page), PAGE_SIZE);

    return error ? error : paging_set_guard(vaddr_of(page));
}

int trap_guard_stacks(void)
{
    int error = take_page_away(emergency.guard);

    if (!error)
        error = take_page_away(emergency.interrupt_guard);
    for (unsigned i = 0; i < NR_EMERGENCY_STACKS && !error; i++)
        error = take_page_away(emergency.stacks[i].guard);
    return error;
}

void trap_init_early(void)
{
    idt_init();
}

void trap_init(void)
{
    register_stacks();
    tss_set_ist(IST_DOUBLE_FAULT, stack_top(STACK_DOUBLE_FAULT));
    tss_set_ist(IST_NMI, stack_top(STACK_NMI));
    tss_set_ist(IST_MACHINE_CHECK, stack_top(STACK_MACHINE_CHECK));
    idt_set_ist(VECTOR_DOUBLE_FAULT, IST_DOUBLE_FAULT);
    idt_set_ist(VECTOR_NMI, IST_NMI);
    idt_set_ist(VECTOR_MACHINE_CHECK, IST_MACHINE_CHECK);
    report_set_stack(stack_top(STACK_REPORT));
    this_cpu_write(percpu.interrupt_stack, emergency.interrupt + INTERRUPT_STACK_SIZE);
    pic8259_disable();
}

void trap_init_machine_check(void)
{
    machine_check_init();
}
