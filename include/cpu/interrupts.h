/* This CPU's interrupt flag. Context: any. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

#define RFLAGS_IF (1u << 9) /* SDM 1, 3.4.3.3 */

static inline uint64_t read_rflags(void)
{
    uint64_t flags;
    __asm__ volatile("pushfq; popq %0" : "=r"(flags));
    return flags;
}

static inline bool irqs_are_enabled(void)
{
    return (read_rflags() & RFLAGS_IF) != 0;
}

static inline void irq_enable(void)
{
    __asm__ volatile("sti" : : : "memory");
}

static inline void irq_disable(void)
{
    __asm__ volatile("cli" : : : "memory");
}

/* Turns interrupts off and returns what irq_restore needs to put them back as they were. */
static inline uint64_t irq_save(void)
{
    uint64_t flags;
    __asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
    return flags;
}

/* One instruction less than a test and a sti, and the same for both cases. */
static inline void irq_restore(uint64_t flags)
{
    __asm__ volatile("pushq %0; popfq" : : "r"(flags) : "memory", "cc");
}

/* Waits for an interrupt with interrupts on. */
static inline void cpu_halt(void)
{
    __asm__ volatile("sti; hlt" : : : "memory");
}

static inline void cpu_relax(void)
{
    __asm__ volatile("pause" : : : "memory");
}
