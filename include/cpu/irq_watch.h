/* Sections with interrupts off, and with preemption off, tell when they begin and end, in builds with CONFIG_LOCKDEP:
 * for the command `latency`. Implemented by src/sync/lockdep_latency.c. Context: interrupts, or preemption, off. */
#pragma once

#include <base/compiler.h>

#if CONFIG_LOCKDEP

void irqs_off_begin_(void);
void irqs_off_end_(void);
void preempt_off_begin_(void);
void preempt_off_end_(void);

#else

static ALWAYS_INLINE void irqs_off_begin_(void)
{
}

static ALWAYS_INLINE void irqs_off_end_(void)
{
}

static ALWAYS_INLINE void preempt_off_begin_(void)
{
}

static ALWAYS_INLINE void preempt_off_end_(void)
{
}

#endif
