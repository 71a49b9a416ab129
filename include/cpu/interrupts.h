/* This CPU's interrupt flag. Context: any. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <cpu/irq_watch.h>

#define RFLAGS_IF (1u << 9) /* SDM 1, 3.4.3.3 */

static ALWAYS_INLINE uint64_t read_rflags(void)
{
    uint64_t flags;
    __asm__ volatile("pushfq; popq %0" : "=r"(flags));
    return flags;
}

static ALWAYS_INLINE bool irqs_are_enabled(void)
{
    return (read_rflags() & RFLAGS_IF) != 0;
}

static ALWAYS_INLINE void irq_enable(void)
{
    irqs_off_end_();
    __asm__ volatile("sti" : : : "memory");
}

static ALWAYS_INLINE void irq_disable(void)
{
    bool were_on = CONFIG_LOCKDEP && irqs_are_enabled();

    __asm__ volatile("cli" : : : "memory");
    if (were_on)
        irqs_off_begin_();
}

/* Without telling who watches: for the watcher. */
static inline uint64_t irq_save_raw_(void)
{
    uint64_t flags;
    __asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
    return flags;
}

static inline void irq_restore_raw_(uint64_t flags)
{
    __asm__ volatile("pushq %0; popfq" : : "r"(flags) : "memory", "cc");
}

/* Turns interrupts off and returns what irq_restore needs to put them back as they were. */
static ALWAYS_INLINE uint64_t irq_save(void)
{
    uint64_t flags = irq_save_raw_();

    if (CONFIG_LOCKDEP && (flags & RFLAGS_IF))
        irqs_off_begin_();
    return flags;
}

/* Whether they were on before the irq_save that returned these flags. */
static inline bool irqs_were_enabled(uint64_t flags)
{
    return (flags & RFLAGS_IF) != 0;
}

/* One instruction less than a test and a sti, and the same for both cases. */
static ALWAYS_INLINE void irq_restore(uint64_t flags)
{
    if (CONFIG_LOCKDEP && (flags & RFLAGS_IF))
        irqs_off_end_();
    irq_restore_raw_(flags);
}

/* Waits for an interrupt with interrupts on. */
static inline void cpu_halt(void)
{
    irqs_off_end_();
    __asm__ volatile("sti; hlt" : : : "memory");
}

static inline void cpu_relax(void)
{
    __asm__ volatile("pause" : : : "memory");
}
