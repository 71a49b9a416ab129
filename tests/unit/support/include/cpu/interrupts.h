/* The host has no interrupt flag: this shadows include/cpu/interrupts.h in unit tests and fuzzers. */
#pragma once

#include <base/types.h>

int sched_yield(void); /* sched.h has names that are the kernel's too */

static inline bool irqs_are_enabled(void)
{
    return true;
}

static inline void irq_enable(void)
{
}

static inline void irq_disable(void)
{
}

static inline uint64_t irq_save_raw_(void)
{
    return 0;
}

static inline void irq_restore_raw_(uint64_t flags)
{
    (void)flags;
}

#ifdef UNIT_INTERRUPTS
/* A test has something happen where interrupts come back on, as an interrupt or another thread would. */
extern unsigned unit_irqs_off; /* nesting */
void unit_irqs_come_on(void);

static inline uint64_t irq_save(void)
{
    return unit_irqs_off++ == 0;
}

static inline void irq_restore(uint64_t flags)
{
    unit_irqs_off--;
    if (flags)
        unit_irqs_come_on();
}

static inline bool irqs_were_enabled(uint64_t flags)
{
    return flags;
}
#else
static inline uint64_t irq_save(void)
{
    return 0;
}

static inline void irq_restore(uint64_t flags)
{
    (void)flags;
}

static inline bool irqs_were_enabled(uint64_t flags)
{
    (void)flags;
    return true;
}
#endif

/* Who waits for another thread lets it run. */
static inline void cpu_relax(void)
{
    sched_yield();
}

/* Nothing would wake it. */
static inline void cpu_halt(void)
{
    __builtin_trap();
}
