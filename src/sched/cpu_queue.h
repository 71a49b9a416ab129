/* What every CPU has for its threads: the run queue with its lock, the idle thread, the slice's timer and figures. */
#pragma once

#include <cpu/percpu.h>
#include <cpu/preempt.h>
#include <cpu/tsc.h>
#include <smp/ipi.h>

#include "run_queue.h"
#include "thread_internal.h"

struct cpu_queue {
    struct spinlock lock; /* "run queue": the rank is the highest but for what takes none below it; raw: interrupts are
                           * off already wherever it is taken */
    struct run_queue queue; /* [l] */
    struct thread *idle;    /* [I] from sched_init or sched_prepare_cpu on */
    bool is_running;        /* [a] the CPU takes threads */

    struct timer slice_timer; /* [c] of the CPU, interrupts off */
    uint64_t idle_work_ns;    /* [c] when the idle thread last did idle work, on sched_now_ns */
    uint64_t slice_timer_ns;  /* [c] on sched_now_ns; UINT64_MAX: not set */

    uint64_t nr_looks; /* [c] interrupts off: how often it has looked whom to run; others read it (sched/watch.h) */
    bool is_halted;    /* [c] the same: from before a halt until the idle thread goes on, or makes way */

    uint64_t nr_switches; /* [l] */
    uint64_t nr_arrivals; /* [l] threads that came from another CPU */
    uint64_t idle_ns;     /* [l] */
    uint64_t idle_since;  /* [l] 0: it is not idle */
};

extern PER_CPU struct cpu_queue cpu_queue;

/* This CPU's. Context: irq-off, or preemption off. */
static ALWAYS_INLINE struct cpu_queue *this_cpu_queue(void)
{
    return this_cpu_pointer(cpu_queue);
}

static inline struct cpu_queue *cpu_queue_of(uint32_t cpu)
{
    return percpu_of(cpu, cpu_queue);
}

/* The same where the thread is not at this CPU, or was not when it was looked again (arrive.c). */
struct cpu_queue *thread_queue_lock_anywhere(const struct thread *thread);

/* Takes the lock of the thread's queue: T1. Context: irq-off. */
static ALWAYS_INLINE struct cpu_queue *thread_queue_lock(const struct thread *thread)
{
    struct cpu_queue *queue = this_cpu_queue();
    uint32_t cpu = queue->queue.cpu;

    if (LIKELY(__atomic_load_n(&thread->cpu, __ATOMIC_RELAXED) == cpu)) {
        spinlock_lock_irq_off(&queue->lock);
        if (LIKELY(__atomic_load_n(&thread->cpu, __ATOMIC_RELAXED) == cpu))
            return queue;
        spinlock_unlock_irq_off(&queue->lock);
    }
    return thread_queue_lock_anywhere(thread);
}

/* For a few instructions that call nobody. Context: irq-off. */
static ALWAYS_INLINE bool cpu_queue_try_lock_briefly(struct cpu_queue *queue)
{
    uint32_t nobody = 0;

    /* pairs as in spinlock_take_ */
    return __atomic_compare_exchange_n(&queue->lock.users, &nobody, UINT32_MAX, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_RELAXED);
}

static ALWAYS_INLINE void cpu_queue_unlock_briefly(struct cpu_queue *queue)
{
    if (UNLIKELY(!spinlock_give_(&queue->lock)))
        __atomic_store_n(&queue->lock.grants, queue->lock.grants + 1, __ATOMIC_RELEASE); /* as spinlock_grant_ */
}

/* Nanoseconds for run times and slices; may differ a little between CPUs. */
static ALWAYS_INLINE uint64_t sched_now_ns(void)
{
    return tsc_now_ns_inline();
}

/* It waits for nothing any more, and is awake. */
static ALWAYS_INLINE void wait_end(struct thread *thread)
{
    WRITE_ONCE(thread->waiting.reason, WAIT_NOTHING);
    WRITE_ONCE(thread->waiting.object, NULL);
    WRITE_ONCE(thread->wait_since, 0);
}

/* The running thread is not to run again. Interrupts are off on entry. */
NORETURN void schedule_for_ever(void);

/* Puts a thread in transit, which the caller owns, into the queue of a CPU it may use. Context: irq-off. */
void thread_arrive(struct thread *thread, enum run_queue_arrival arrival);

/* Does what a change of this queue means for its CPU. Context: irq-off, no queue's lock held. */
void cpu_queue_tell(struct cpu_queue *queue, enum run_queue_effect effect);

/* The slice's timer (slice.c). Context: irq-off, on the CPU concerned. */
void slice_init(struct cpu_queue *queue);
void slice_arm(struct cpu_queue *queue, uint64_t slice_end_ns);
void slice_disarm(struct cpu_queue *queue);

/* Gives the queue's lock back, and does what a change of the queue means for its CPU. Context: irq-off. */
static ALWAYS_INLINE void cpu_queue_unlock_and_tell(struct cpu_queue *queue, enum run_queue_effect effect)
{
    bool is_here = queue == this_cpu_queue();
    uint64_t slice_end = UINT64_MAX;

    if (effect == EFFECT_TIMER && is_here)
        slice_end = run_queue_slice_end(&queue->queue);
    spinlock_unlock_irq_off(&queue->lock);
    if (effect <= EFFECT_BEHIND)
        return;
    if (!is_here)
        ipi_reschedule(queue->queue.cpu);
    else if (effect == EFFECT_PREEMPT)
        preempt_request();
    else if (UNLIKELY(slice_end < queue->slice_timer_ns))
        slice_arm(queue, slice_end);
}

/* The code of idle threads. */
NORETURN void idle_loop(void);
