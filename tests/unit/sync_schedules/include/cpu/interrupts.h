/* Interrupts and spinning as the search of sync_schedules knows them: this shadows include/cpu/interrupts.h. */
#pragma once

#include <base/types.h>

void explore_relax(void);
bool explore_irqs_are_enabled(void);
void explore_set_irqs(bool are_enabled);

static inline bool irqs_are_enabled(void)
{
    return explore_irqs_are_enabled();
}

static inline void irq_enable(void)
{
    explore_set_irqs(true);
}

static inline void irq_disable(void)
{
    explore_set_irqs(false);
}

static inline uint64_t irq_save(void)
{
    bool were_enabled = explore_irqs_are_enabled();

    explore_set_irqs(false);
    return were_enabled;
}

static inline void irq_restore(uint64_t flags)
{
    explore_set_irqs(flags != 0);
}

static inline bool irqs_were_enabled(uint64_t flags)
{
    return flags != 0;
}

static inline void cpu_relax(void)
{
    explore_relax();
}
