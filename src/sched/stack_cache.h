/* Stacks of threads that have ended, kept for new ones: mapping a stack costs more than all the rest of a thread. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

/* Prepares a CPU's, before any CPU takes threads there. Context: init, or thread. */
void thread_stacks_init_cpu(uint32_t cpu);

/* A stack filled with the pattern of mm/stack.h; NULL where there is no memory. Context: thread. */
MUST_CHECK void *thread_stack_get(void);

/* Nobody is on it. Context: any but NMI. */
void thread_stack_put(void *stack);

/* Unmaps what is beyond what a CPU keeps; all of every CPU's, and waits for others that are at it. Context: thread. */
void thread_stacks_trim(void);
void thread_stacks_drain(void);
