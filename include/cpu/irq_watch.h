/* Sections with interrupts off, and with preemption off, tell when they begin and end, in builds with CONFIG_LOCKDEP:
 * for the command `latency`, and for reports to name the place. Implemented by src/sync/lockdep_latency.c. Context:
 * interrupts, or preemption, off. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

#if CONFIG_LOCKDEP

void irqs_off_begin_(void);
void irqs_off_end_(void);
void preempt_off_begin_(void);
void preempt_off_end_(void);

/* The return address where what is off was turned off: who is to blame; NULL where it is on. Context: it is off. */
const void *irqs_off_place(void);
const void *preempt_off_place(void);

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

static ALWAYS_INLINE const void *irqs_off_place(void)
{
    return NULL;
}

static ALWAYS_INLINE const void *preempt_off_place(void)
{
    return NULL;
}

#endif
