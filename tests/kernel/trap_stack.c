/* Which stack interrupts run on: the outermost on the CPU's own for them, what comes on top of it there too, and no
 * exception of a thread. */
#include <base/address.h>
#include <base/layout.h>
#include <cpu/percpu.h>
#include <cpu/preempt.h>
#include <debug/report.h>
#include <debug/test.h>
#include <irq/chip.h>
#include <irq/deferred.h>
#include <lib/string.h>
#include <mm/stack.h>
#include <mm/vmalloc.h>
#include <trap/trap.h>

#define OUTER_VECTOR 0x7e
#define INNER_VECTOR 0x7f

/* What a handler saw: where it and the registers of what it interrupted lie, and whether the stack is marked as used.
 */
struct seen {
    unsigned nr_calls;
    uintptr_t here, frame;
    bool is_in_use;
};

static struct seen outer, inner, exception, work;

static bool is_on_interrupt_stack(uintptr_t address)
{
    struct stack_info stack;

    return stack_of_address((const void *)address, &stack) && strncmp(stack.name, "interrupt", 9) == 0;
}

static NOINLINE void note(struct seen *seen, const void *frame)
{
    seen->nr_calls++;
    seen->here = (uintptr_t)__builtin_frame_address(0);
    seen->frame = (uintptr_t)frame;
    seen->is_in_use = !this_cpu_read(percpu.interrupt_stack);
}

static void note_inner(struct trap_frame *frame)
{
    note(&inner, frame);
}

static bool note_exception(struct trap_frame *frame)
{
    note(&exception, frame);
    return true;
}

static void interrupt_twice(struct trap_frame *frame)
{
    note(&outer, frame);
    __asm__ volatile("int %0" : : "i"(INNER_VECTOR) : "memory");
    __asm__ volatile("int3" : : : "memory");
}

KERNEL_TEST(trap_stack, "trap/interrupts_run_on_a_stack_of_their_own")
{
    uintptr_t top, here = (uintptr_t)__builtin_frame_address(0);

    outer = inner = exception = (struct seen){0};
    EXPECT_EQ(trap_set_handler(OUTER_VECTOR, interrupt_twice), 0);
    EXPECT_EQ(trap_set_handler(INNER_VECTOR, note_inner), 0);
    EXPECT_EQ(trap_set_exception_handler(VECTOR_BREAKPOINT, note_exception), 0);
    preempt_disable();
    top = (uintptr_t)this_cpu_read(percpu.interrupt_stack);
    __asm__ volatile("int %0" : : "i"(OUTER_VECTOR) : "memory");
    EXPECT_EQ((uintptr_t)this_cpu_read(percpu.interrupt_stack), top);
    preempt_enable();
    EXPECT_EQ(outer.nr_calls + inner.nr_calls + exception.nr_calls, 3);
    EXPECT(outer.here < top && outer.here >= top - INTERRUPT_STACK_SIZE && is_on_interrupt_stack(outer.here));
    EXPECT(outer.frame < here && here - outer.frame < PAGE_SIZE); /* the thread's registers are on the thread's */
    EXPECT(is_on_interrupt_stack(inner.here) && is_on_interrupt_stack(inner.frame) && inner.frame < outer.here);
    EXPECT(is_on_interrupt_stack(exception.here) && exception.frame < outer.here);
    EXPECT(outer.is_in_use && inner.is_in_use && exception.is_in_use);
    __asm__ volatile("int3" : : : "memory");
    EXPECT(!is_on_interrupt_stack(exception.here) && !exception.is_in_use);
    EXPECT_EQ(trap_set_exception_handler(VECTOR_BREAKPOINT, NULL), 0);
    EXPECT_EQ(trap_set_handler(INNER_VECTOR, NULL), 0);
    EXPECT_EQ(trap_set_handler(OUTER_VECTOR, NULL), 0);
}

static void *elsewhere; /* another stack's top */

static void interrupt_there(void *seen)
{
    note(seen, NULL);
    __asm__ volatile("int %0" : : "i"(INNER_VECTOR) : "memory");
}

static void go_elsewhere(struct trap_frame *frame)
{
    note(&outer, frame);
    call_on_stack(elsewhere, interrupt_there, &work);
}

/* As reports do. */
KERNEL_TEST(trap_stack_elsewhere, "trap/no_interrupt_runs_on_the_stack_of_a_report")
{
    char *stack = stack_alloc("test");
    uintptr_t top;

    if (!stack)
        return;
    elsewhere = stack + KERNEL_STACK_SIZE;
    outer = inner = work = (struct seen){0};
    EXPECT_EQ(trap_set_handler(OUTER_VECTOR, go_elsewhere), 0);
    EXPECT_EQ(trap_set_handler(INNER_VECTOR, note_inner), 0);
    preempt_disable();
    top = (uintptr_t)this_cpu_read(percpu.interrupt_stack);
    call_on_stack(elsewhere, interrupt_there, &work);
    EXPECT(work.here < (uintptr_t)elsewhere && work.here >= (uintptr_t)stack && !work.is_in_use);
    EXPECT(is_on_interrupt_stack(inner.here) && inner.frame >= (uintptr_t)stack && inner.frame < work.here);
    __asm__ volatile("int %0" : : "i"(OUTER_VECTOR) : "memory");
    EXPECT_EQ((uintptr_t)this_cpu_read(percpu.interrupt_stack), top);
    preempt_enable();
    EXPECT_EQ(outer.nr_calls + inner.nr_calls + work.nr_calls, 5);
    EXPECT(inner.here < outer.here && is_on_interrupt_stack(inner.here) && inner.frame >= (uintptr_t)stack);
    EXPECT(inner.frame < work.here && work.here < (uintptr_t)elsewhere);
    EXPECT_EQ(trap_set_handler(INNER_VECTOR, NULL), 0);
    EXPECT_EQ(trap_set_handler(OUTER_VECTOR, NULL), 0);
    stack_free(stack);
}

static void note_work(struct deferred *deferred)
{
    note(&work, deferred);
}

static struct deferred queued = DEFERRED_INITIALIZER(note_work);

static bool queue_work(struct trap_frame *frame)
{
    (void)frame;
    deferred_queue(&queued);
    return true;
}

KERNEL_TEST(trap_stack_deferred, "trap/deferred_work_of_an_exception_runs_on_the_stack_of_interrupts")
{
    if (!irq_controller())
        return;
    work = (struct seen){0};
    EXPECT_EQ(trap_set_exception_handler(VECTOR_BREAKPOINT, queue_work), 0);
    preempt_disable();
    __asm__ volatile("int3" : : : "memory");
    while (__atomic_load_n(&work.nr_calls, __ATOMIC_ACQUIRE) == 0) /* written by this CPU's interrupt */
        cpu_relax();
    preempt_enable();
    EXPECT_EQ(trap_set_exception_handler(VECTOR_BREAKPOINT, NULL), 0);
    EXPECT(is_on_interrupt_stack(work.here) && work.is_in_use);
    EXPECT_EQ(work.nr_calls, 1);
}
