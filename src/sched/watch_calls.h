/* Where the scheduler tells who watches this CPU (sched/watch.h). Context: irq-off. */
#pragma once

struct cpu_queue;

/* The idle thread is about to make way. */
void watch_leaves_idle(struct cpu_queue *queue);

/* It is about to halt; is_halted is set on return. */
void watch_halts(struct cpu_queue *queue);
