/* Stacks of threads that end, and whose they are in the report. */
#include <base/layout.h>
#include <mm/stack.h>
#include <sched/thread.h>

#include "fault.h"

static int run_in_thread(const char *name, thread_function function)
{
    struct thread *thread;
    int error = thread_create(&thread, &(struct thread_options){.name = name}, function, NULL);

    return error ? error : thread_join(thread, NULL);
}

static uint8_t *own_stack(void)
{
    struct stack_info stack;

    return stack_of_address(__builtin_frame_address(0), &stack) ? (uint8_t *)(uintptr_t)stack.base : NULL;
}

static int write_below(void *argument)
{
    (void)argument;
    fault_write(opaque_pointer(own_stack() - 8), 1);
    return 0;
}

FAULT(thread_guard_below, 11, "write to the guard page below a thread's stack")
{
    return run_in_thread("work", write_below);
}

static int write_above(void *argument)
{
    (void)argument;
    fault_write(opaque_pointer(own_stack() + KERNEL_STACK_SIZE), 1);
    return 0;
}

FAULT(thread_guard_above, 12, "write to the guard page above a thread's stack")
{
    return run_in_thread("work", write_above);
}

static int recurse_in_thread(void *argument)
{
    (void)argument;
    return (int)fault_recurse(0);
}

FAULT(thread_recursion, 13, "a thread's stack overflow, on the double fault's stack")
{
    return run_in_thread("recurses", recurse_in_thread);
}
