/* From the entry stubs to whoever handles the vector. */
#include "dispatch.h"

#include <base/errno.h>
#include <cpu/exception_table.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <cpu/registers.h>
#include <debug/log.h>
#include <debug/report.h>
#include <debug/sysrq.h>
#include <irq/chip.h>
#include <irq/deferred.h>
#include <mm/tlb_idle.h>
#include <sched/sched.h>
#include <sync/lockdep.h>
#include <trap/trap.h>

#include "exceptions.h"
#include "machine_check.h"
#include "nmi.h"

static interrupt_function handlers[NR_VECTORS];              /* [a] */
static exception_function exception_handlers[NR_EXCEPTIONS]; /* [a] */
static uint32_t unclaimed[NR_VECTORS];                       /* [a] */

int trap_set_handler(unsigned vector, interrupt_function function)
{
    interrupt_function expected = NULL;

    if (vector < NR_EXCEPTIONS || vector >= NR_VECTORS)
        return -EINVAL;
    if (!function) {
        __atomic_store_n(&handlers[vector], NULL, __ATOMIC_RELEASE);
        return 0;
    }
    if (!__atomic_compare_exchange_n(&handlers[vector], &expected, function, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        return -EBUSY;
    return 0;
}

int trap_set_exception_handler(unsigned vector, exception_function function)
{
    exception_function expected = NULL;

    if (vector >= NR_EXCEPTIONS || vector == VECTOR_NMI || vector == VECTOR_DOUBLE_FAULT ||
        vector == VECTOR_MACHINE_CHECK)
        return -EINVAL;
    if (!function) {
        __atomic_store_n(&exception_handlers[vector], NULL, __ATOMIC_RELEASE);
        return 0;
    }
    if (!__atomic_compare_exchange_n(&exception_handlers[vector], &expected, function, false, __ATOMIC_RELEASE,
                                     __ATOMIC_RELAXED))
        return -EBUSY;
    return 0;
}

uint32_t trap_unclaimed_count(unsigned vector)
{
    return vector < NR_VECTORS ? __atomic_load_n(&unclaimed[vector], __ATOMIC_RELAXED) : 0;
}

/* The 1st, 2nd, 4th, 8th ... is logged: a storm costs 32 lines, and needs no clock. */
static void count_unclaimed(unsigned vector)
{
    uint32_t count = __atomic_add_fetch(&unclaimed[vector], 1, __ATOMIC_RELAXED);

    if ((count & (count - 1)) == 0)
        log_warn("trap: vector %u raised, nobody has claimed it (%u so far)", vector, count);
}

static void dispatch_interrupt(struct trap_frame *frame)
{
    interrupt_function function = __atomic_load_n(&handlers[frame->vector], __ATOMIC_ACQUIRE);

    if (function) {
        function(frame);
        irq_end_stray((unsigned)frame->vector);
    } else if (!irq_dispatch((unsigned)frame->vector)) {
        count_unclaimed((unsigned)frame->vector);
    }
}

/* Exceptions with an error code (SDM 3A table 6-1): the entry stub marks an interrupt. Of the others only the
 * controller can tell. */
static bool has_error_code(uint64_t vector)
{
    return vector < NR_EXCEPTIONS && ((1u << 8 | 0x1fu << 10 | 1u << 17 | 1u << 21 | 3u << 29) >> vector & 1);
}

/* A device or a message may be programmed with any vector: an exception's must not make the kernel believe in one.
 * Below 32. */
static bool is_stray_interrupt(const struct trap_frame *frame)
{
    if (!has_error_code(frame->vector))
        return irq_end_stray((unsigned)frame->vector);
    if (frame->error_code != TRAP_ERROR_CODE_MISSING)
        return false;
    irq_end_stray((unsigned)frame->vector);
    return true;
}

/* On the way out of the outermost interrupt. The depth stays: an interrupt of the deferred work is not outermost. */
static void run_deferred(const struct trap_frame *frame)
{
    if (this_cpu_read(percpu.interrupt_depth) == 1 && (frame->rflags & RFLAGS_IF) && deferred_is_pending()) {
        lockdep_interrupt_enter();
        deferred_run();
        lockdep_interrupt_exit();
    }
}

/* What an exception's handler has queued runs in an interrupt, on the interrupts' stack: the thread's has no room for
 * it (docs/stacks.md). */
static void ask_for_deferred(void)
{
    if (UNLIKELY(deferred_is_pending()) && this_cpu_read(percpu.interrupt_depth) == 1)
        deferred_interrupt();
}

/* After the outermost interrupt another thread may run before the interrupted code goes on. */
static bool is_cpu_wanted(const struct trap_frame *frame)
{
    return UNLIKELY(this_cpu_read(percpu.preempt_count) == 0) && this_cpu_read(percpu.interrupt_depth) == 0 &&
           (frame->rflags & RFLAGS_IF);
}

void trap_give_cpu_away(void)
{
    sched_interrupt_exit();
    irqs_off_end_();
}

/* At every depth: what hangs may be deferred work. Interrupts on, so that the reset gets through while a
 * long list of stacks goes out. */
static void run_system_requests(const struct trap_frame *frame)
{
    if (!(frame->rflags & RFLAGS_IF) || !sysrq_is_asked())
        return;
    irq_enable();
    sysrq_run_asked();
    irq_disable();
}

static bool has_fixup(uint64_t vector)
{
    return vector == VECTOR_PAGE_FAULT || vector == VECTOR_GENERAL_PROTECTION || vector == VECTOR_STACK_FAULT;
}

static bool try_fixup(struct trap_frame *frame)
{
    uint64_t resume = 0;

    if (!trap_frame_is_user(frame) && has_fixup(frame->vector))
        resume = exception_fixup_find(frame->rip);
    if (resume)
        frame->rip = resume;
    return resume != 0;
}

/* cr2 was read before anything here could fault. */
static void dispatch_exception(struct trap_frame *frame, uint64_t cr2)
{
    exception_function function = __atomic_load_n(&exception_handlers[frame->vector], __ATOMIC_ACQUIRE);

    if (try_fixup(frame))
        return;
    if (function && function(frame))
        return;
    if (exception_resume(frame))
        return;
    report_fatal(&(struct report){.frame = frame, .cr2 = cr2});
}

static void count_interrupt(void)
{
    this_cpu_write(percpu.nr_interrupts, this_cpu_read(percpu.nr_interrupts) + 1);
}

static ALWAYS_INLINE void enter(const struct trap_frame *frame)
{
    if (frame->rflags & RFLAGS_IF)
        irqs_off_begin_();
    this_cpu_write(percpu.interrupt_depth, this_cpu_read(percpu.interrupt_depth) + 1);
}

/* True when another thread is to have the CPU: what interrupts being off ends with is trap_give_cpu_away's then. */
static ALWAYS_INLINE bool leave(const struct trap_frame *frame)
{
    this_cpu_write(percpu.interrupt_depth, this_cpu_read(percpu.interrupt_depth) - 1);
    if (is_cpu_wanted(frame))
        return true;
    if (frame->rflags & RFLAGS_IF)
        irqs_off_end_();
    return false;
}

static void take_nmi_or_machine_check(struct trap_frame *frame)
{
    this_cpu_write(percpu.nmi_depth, this_cpu_read(percpu.nmi_depth) + 1);
    count_interrupt();
    if (frame->vector == VECTOR_NMI)
        nmi_handle(frame);
    else
        machine_check_handle(frame);
    this_cpu_write(percpu.nmi_depth, this_cpu_read(percpu.nmi_depth) - 1);
}

/* Vectors below 32. */
static NOINLINE bool take_exception(struct trap_frame *frame)
{
    uint64_t cr2 = frame->vector == VECTOR_PAGE_FAULT || frame->vector == VECTOR_DOUBLE_FAULT ? read_cr2() : 0;

    if (is_stray_interrupt(frame)) {
        count_interrupt();
        count_unclaimed((unsigned)frame->vector);
        return false;
    }
    if (frame->vector == VECTOR_NMI || frame->vector == VECTOR_MACHINE_CHECK) {
        take_nmi_or_machine_check(frame);
        return false;
    }
    enter(frame);
    dispatch_exception(frame, cr2);
    ask_for_deferred();
    return leave(frame);
}

bool trap_dispatch(struct trap_frame *frame)
{
    tlb_wake(); /* before anything that may have been mapped anew is touched */
    if (UNLIKELY(frame->vector < NR_EXCEPTIONS))
        return take_exception(frame);
    enter(frame);
    count_interrupt();
    lockdep_interrupt_enter();
    dispatch_interrupt(frame);
    run_system_requests(frame); /* before deferred work, which may be what hangs */
    lockdep_interrupt_exit();
    run_deferred(frame);
    return leave(frame);
}
