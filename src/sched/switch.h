/* From one thread to another: stack, frame pointer and the stack protector's canary. The compiler keeps what else it
 * has in registers, because none of them comes back. */
#pragma once

#include <cpu/percpu.h>

#include "thread_internal.h"

/* What saved_rsp points at. */
struct saved_frame {
    uint64_t rip, rbp;
};

/* Interrupts off, this CPU's queue locked. Returns, on the stack of `from`, when somebody switches to it again: who
 * that was. A new thread begins in thread_begin instead, with that in RAX and itself in RBX. */
static ALWAYS_INLINE struct thread *thread_switch(struct thread *from, struct thread *to)
{
    uint64_t canary = to->canary;

    __asm__ volatile("pushq %%rbp\n\t"
                     "pushq $1f\n\t"
                     "movq %%rsp, %c[rsp](%[from])\n\t"
                     "movq %c[rsp](%[to]), %%rsp\n\t"
                     "movq %[to], %%gs:%c[current]\n\t"
                     "movq %[canary], %%gs:%c[guard]\n\t"
                     "ret\n"
                     "1:\n\t"
                     "popq %%rbp"
                     : [from] "+a"(from), [to] "+b"(to), [canary] "+c"(canary)
                     : [rsp] "i"(offsetof(struct thread, saved_rsp)), [current] "i"(&percpu.current),
                       [guard] "i"(&percpu.stack_canary)
                     : "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
    return from;
}

/* switch.asm: a new thread's first instructions. */
void thread_begin(void);
