/* What is in assembly (switch.asm). */
#pragma once

struct thread;

/* Interrupts off, this CPU's queue locked. Returns when somebody switches to `from` again: who that was. */
struct thread *thread_switch(struct thread *from, struct thread *to);

/* A new thread's first instructions. */
void thread_begin(void);
