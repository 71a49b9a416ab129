#pragma once

#include <cpu/trap_frame.h>

/* The one C entry of all 256 vectors; called by entry.asm only, interrupts off. Interrupts run on the CPU's stack for
 * them. Returns true where another thread wants this CPU: then the next is trap_give_cpu_away. */
bool trap_dispatch(struct trap_frame *frame);

/* Another thread may run before the interrupted code goes on. Called by entry.asm only, on the thread's own stack,
 * interrupts off. */
void trap_give_cpu_away(void);
