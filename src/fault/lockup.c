/* CPUs that hang, for a while: long enough for the watchdog to find them, then the kernel goes on. */
#include <base/errno.h>
#include <cpu/cpu_mask.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <cpu/preempt.h>
#include <debug/report.h>
#include <sched/thread.h>
#include <smp/cpu.h>
#include <sync/spinlock.h>
#include <time/clock.h>
#include <watchdog/watchdog.h>

#include "fault.h"

#define HANG_NS     (5 * NS_PER_S)
#define HANG_MAX_NS (30 * NS_PER_S)

static uint64_t nr_lockups_awaited; /* [a] for HANG_NS, and until the watchdog has found so many */

static NOINLINE void fault_spin(void)
{
    uint64_t start = clock_now_ns(), now;

    do {
        cpu_relax();
        now = clock_now_ns();
    } while (now - start < HANG_NS || (now - start < HANG_MAX_NS &&
                                       watchdog_nr_lockups() < __atomic_load_n(&nr_lockups_awaited, __ATOMIC_RELAXED)));
}

FAULT(soft_lockup, 38, "a thread spins with preemption off: found after two seconds, with its stack")
{
    preempt_disable();
    fault_spin();
    preempt_enable();
    return 0;
}

static struct spinlock kept = SPINLOCK_INITIALIZER("provoked kept");
static bool is_kept; /* [a] */

static NOINLINE int fault_keep_lock(void *argument)
{
    (void)argument;
    spinlock_lock(&kept);
    __atomic_store_n(&is_kept, true, __ATOMIC_RELEASE);
    fault_spin();
    spinlock_unlock(&kept);
    return 0;
}

static NOINLINE void fault_want_lock(void)
{
    spinlock_lock(&kept);
    spinlock_unlock(&kept);
}

/* On the last CPU; -ENODEV where there is one. Returns when it has the lock. */
static int keep_lock_elsewhere(struct thread **keeper)
{
    struct cpu_mask mask = {0};
    int error;

    if (smp_nr_online() == 1)
        return -ENODEV;
    cpu_mask_set(&mask, smp_nr_online() - 1);
    is_kept = false;
    error = thread_create(keeper, &(struct thread_options){.name = "keeper", .affinity = &mask}, fault_keep_lock, NULL);
    while (!error && !__atomic_load_n(&is_kept, __ATOMIC_ACQUIRE))
        cpu_relax();
    return error;
}

FAULT(lock_kept, 38, "a CPU waits for a lock that another one does not give back: both are found, with lock and holder")
{
    struct thread *keeper;
    int error = keep_lock_elsewhere(&keeper);

    if (error)
        return error;
    fault_want_lock();
    return thread_join(keeper, NULL);
}

static void take_kept(const void *argument)
{
    (void)argument;
    fault_want_lock();
    report_line("lock: taken");
}

FAULT(lock_in_report, 44, "a report that takes a lock which a stopped CPU holds: it is not waited for")
{
    struct trap_frame frame;
    struct thread *keeper;
    int error = keep_lock_elsewhere(&keeper);

    if (error)
        return error;
    irq_disable();
    capture_registers(&frame);
    report_fatal(&(struct report){
        .frame = &frame, .class_words = "provoked: a lock is taken in the report", .details = take_kept});
}

static NOINLINE int fault_spin_deaf(void *argument)
{
    uint64_t flags = irq_save();

    (void)argument;
    fault_spin();
    irq_restore(flags);
    return 0;
}

/* -ENODEV where there is one CPU: nobody would notice. */
FAULT(hard_lockup, 39, "a CPU spins with interrupts off: found after three seconds by another one, with its stack")
{
    if (smp_nr_online() == 1)
        return -ENODEV;
    return fault_spin_deaf(NULL);
}

static PER_CPU struct thread *deaf_thread;

static int start_on(uint32_t cpu)
{
    struct cpu_mask mask = {0};

    cpu_mask_set(&mask, cpu);
    return thread_create(percpu_of(cpu, deaf_thread), &(struct thread_options){.name = "deaf", .affinity = &mask},
                         fault_spin_deaf, NULL);
}

/* They answer no interrupt, a TLB flush's neither; so nothing is done but wait for them. */
FAULT(hard_lockups, 39, "all CPUs but the first spin with interrupts off: each is found, with its stack")
{
    uint32_t cpu, nr_started = 0;
    int error = smp_nr_online() == 1 ? -ENODEV : 0;

    __atomic_store_n(&nr_lockups_awaited, watchdog_nr_lockups() + smp_nr_online() - 1, __ATOMIC_RELAXED);
    for (cpu = 1; cpu < smp_nr_online() && !error; cpu++) {
        error = start_on(cpu);
        if (!error)
            nr_started++;
    }
    for (cpu = 1; cpu <= nr_started; cpu++)
        (void)thread_join(*percpu_of(cpu, deaf_thread), NULL);
    return error;
}
