/* Preemption of the thread that runs on this CPU. percpu.preempt_count has the nesting depth of sections that forbid it
 * in its low bits, and bit 31 is set while nobody wants this CPU for another thread: so the end of the outermost
 * section sees by one subtraction to zero that it is to make way.
 *
 * Interrupts off forbid preemption as well, without being counted. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <cpu/interrupts.h>
#include <cpu/irq_watch.h>
#include <cpu/percpu.h>
#include <cpu/schedule_point.h>

#define PREEMPT_NO_RESCHEDULE (1u << 31)

/* Gives this CPU to who waits for it, where this context can be interrupted at all; else returns, and the way out of
 * the next interrupt does it. Implemented by sched, and by the host test support. Context: any. */
void preempt_reschedule_(void);

#ifdef __KEEL__
/* One instruction each: an interrupt comes before it or behind it. */
#define PREEMPT_COUNT_OPERATION_(instruction, ...) \
    __asm__ volatile(instruction " %%gs:%c[count]" __VA_ARGS__ : [count] "i"(&percpu.preempt_count) : "memory", "cc")

static ALWAYS_INLINE void preempt_count_increment_(void)
{
    PREEMPT_COUNT_OPERATION_("incl", :);
}

/* True when that makes it 0: depth 0, and somebody wants the CPU. */
static ALWAYS_INLINE bool preempt_count_decrement_(void)
{
    bool is_zero;

    PREEMPT_COUNT_OPERATION_("decl", : "=@ccz"(is_zero));
    return is_zero;
}

static ALWAYS_INLINE bool preempt_count_is_zero_(void)
{
    bool is_zero;

    PREEMPT_COUNT_OPERATION_("cmpl $0,", : "=@ccz"(is_zero));
    return is_zero;
}

static ALWAYS_INLINE void preempt_count_clear_(void)
{
    PREEMPT_COUNT_OPERATION_("andl $0x7fffffff,", :);
}

static ALWAYS_INLINE void preempt_count_set_(void)
{
    PREEMPT_COUNT_OPERATION_("orl $0x80000000,", :);
}
#else
static inline void preempt_count_increment_(void)
{
    percpu.preempt_count++;
}

static inline bool preempt_count_decrement_(void)
{
    return --percpu.preempt_count == 0;
}

static inline bool preempt_count_is_zero_(void)
{
    return percpu.preempt_count == 0;
}

static inline void preempt_count_clear_(void)
{
    percpu.preempt_count &= ~PREEMPT_NO_RESCHEDULE;
}

static inline void preempt_count_set_(void)
{
    percpu.preempt_count |= PREEMPT_NO_RESCHEDULE;
}
#endif

static ALWAYS_INLINE bool preempt_is_outermost_(void)
{
    return (this_cpu_read(percpu.preempt_count) & ~PREEMPT_NO_RESCHEDULE) == 1;
}

/* From here to preempt_enable the running thread keeps this CPU: it is neither preempted nor moved, and must not sleep.
 * They nest. Context: any. */
static ALWAYS_INLINE void preempt_disable(void)
{
    preempt_count_increment_();
    if (CONFIG_LOCKDEP && preempt_is_outermost_())
        preempt_off_begin_();
}

static ALWAYS_INLINE void preempt_enable(void)
{
    if (CONFIG_LOCKDEP && preempt_is_outermost_())
        preempt_off_end_();
    if (UNLIKELY(preempt_count_decrement_()))
        preempt_reschedule_();
    schedule_point();
}

/* This CPU shall look for another thread to run, as soon as that may be. Who asks in a thread with interrupts off has
 * to bring about an interrupt besides. Context: any, preemption or interrupts off. */
static ALWAYS_INLINE void preempt_request(void)
{
    preempt_count_clear_();
}

/* It is looking. Context: irq-off. */
static ALWAYS_INLINE void preempt_request_done(void)
{
    preempt_count_set_();
}

/* Sections that are open on this CPU. Context: any. */
static ALWAYS_INLINE uint32_t preempt_depth(void)
{
    return this_cpu_read(percpu.preempt_count) & ~PREEMPT_NO_RESCHEDULE;
}

static ALWAYS_INLINE bool preempt_is_requested(void)
{
    return (this_cpu_read(percpu.preempt_count) & PREEMPT_NO_RESCHEDULE) == 0;
}

/* Interrupts have come back on: gives the CPU away where that was asked for meanwhile. Context: any. */
static ALWAYS_INLINE void preempt_check(void)
{
    if (UNLIKELY(preempt_count_is_zero_()))
        preempt_reschedule_();
}

/* Whether all but interrupts that are off allows it. */
static ALWAYS_INLINE bool may_sleep_but_for_irqs_(void)
{
    return preempt_depth() == 0 &&
           (this_cpu_read(percpu.is_interrupted) | (uintptr_t)this_cpu_read(percpu.held_locks)) == 0;
}

/* True in a thread with interrupts on, preemption on and no spinlock held. Context: any. */
static ALWAYS_INLINE bool may_sleep(void)
{
    return irqs_are_enabled() && may_sleep_but_for_irqs_();
}

/* Ends the kernel: what gives out addresses, and takes locks that interrupts do not, was called in one. The same. */
NORETURN COLD void allocation_is_forbidden(const char *function);

static ALWAYS_INLINE bool is_in_interrupt_(void)
{
    return this_cpu_read(percpu.interrupt_depth) != 0 || this_cpu_read(percpu.nmi_depth) != 0;
}

/* The first line of a function that allocates and must not be called in an interrupt. On in debug builds. */
#define assert_may_allocate()                             \
    do {                                                  \
        if (CONFIG_DEBUG && UNLIKELY(is_in_interrupt_())) \
            allocation_is_forbidden(__func__);            \
    } while (0)

/* Ends the kernel with what forbids it. Implemented by debug/context.c and the host test support. */
NORETURN COLD void sleep_is_forbidden(const char *function);

/* The first line of a function that may sleep. On in every build. */
#define assert_may_sleep()                \
    do {                                  \
        if (UNLIKELY(!may_sleep()))       \
            sleep_is_forbidden(__func__); \
    } while (0)

/* The same right behind the irq_save that returned these flags. */
#define assert_may_sleep_irq_saved(flags)                                      \
    do {                                                                       \
        if (UNLIKELY(!irqs_were_enabled(flags) || !may_sleep_but_for_irqs_())) \
            sleep_is_forbidden(__func__);                                      \
    } while (0)
