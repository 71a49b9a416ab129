/* Stacks that end, overflow or are overwritten. */
#include <base/errno.h>
#include <base/layout.h>
#include <mm/vmalloc.h>

#include "fault.h"

FAULT(stack_guard_below, 11, "write to the guard page below a stack")
{
    uint8_t *stack = stack_alloc("provoked");

    if (!stack)
        return -ENOMEM;
    fault_write(opaque_pointer(stack - 8), 1);
    stack_free(stack);
    return 0;
}

FAULT(stack_guard_above, 12, "write to the guard page above a stack")
{
    uint8_t *stack = stack_alloc("provoked");

    if (!stack)
        return -ENOMEM;
    fault_write(opaque_pointer(stack + KERNEL_STACK_SIZE), 1);
    stack_free(stack);
    return 0;
}

/* Each level needs its own buffer after the call, so no compiler makes a loop of it. */
NOINLINE uint64_t fault_recurse(uint64_t depth)
{
    volatile uint64_t buffer[8] = {depth};

    if (opaque(depth) != UINT64_MAX)
        buffer[1] = fault_recurse(depth + 1);
    return buffer[0] + buffer[1];
}

FAULT(recursion, 13, "kernel stack overflow, on the double fault's stack")
{
    return (int)fault_recurse(0);
}

/* An address of the vmalloc area that no allocation reaches: between its end and the next area lies nothing. */
#define NO_STACK (VMALLOC_BASE + VMALLOC_SIZE - 0x10000)

/* The push faults, and the page fault finds no stack either. Asking for the frame's address gives this leaf a frame. */
static NOINLINE void fault_lose_stack(void)
{
    (void)opaque_pointer(__builtin_frame_address(0));
    __asm__ volatile("movq %0, %%rsp\n\t"
                     "pushq %%rax"
                     :
                     : "r"(NO_STACK)
                     : "memory");
}

FAULT(double_fault, 14, "double fault, on its own stack")
{
    fault_lose_stack();
    return 0;
}

static NOINLINE void overrun(volatile uint8_t *bytes, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        bytes[i] = 0x41;
}

static NOINLINE void fault_smash(void)
{
    uint8_t buffer[16];

    overrun(buffer, opaque(sizeof(buffer) + 32));
}

FAULT(stack_smash, 21, "stack smashed")
{
    fault_smash();
    return 0;
}
