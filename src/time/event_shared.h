/* An event source that all CPUs share. */
#pragma once

#include <time/source.h>

/* What this CPU waits for, UINT64_MAX for nothing; armed if it is the first. Context: irq-off. */
void event_shared_program(struct event_source *source, uint64_t deadline_ns);

/* It has interrupted this CPU: others that are due are interrupted too. Context: irq-off. */
void event_shared_fired(struct event_source *source);

/* What it was armed for does not hold any more: each CPU has to program it again. Context: any but NMI. */
void event_shared_forget(void);

/* Interrupts every other CPU, which programs what is used now: the source was changed. Context: any but NMI. */
void event_kick_others(void);

/* The vector for both. Context: init. */
void event_kick_init(void);
