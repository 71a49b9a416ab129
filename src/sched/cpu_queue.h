/* What every CPU has for its threads: the run queue with its lock, the idle thread, the slice's timer and figures. */
#pragma once

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

/* This CPU's. Context: irq-off, or preemption off. */
struct cpu_queue *this_cpu_queue(void);
struct cpu_queue *cpu_queue_of(uint32_t cpu);

/* Takes the lock of the thread's queue. Context: irq-off. */
struct cpu_queue *thread_queue_lock(const struct thread *thread);

/* Nanoseconds for run times and slices; may differ a little between CPUs. */
uint64_t sched_now_ns(void);

/* The running thread sleeps, where it still waits as announced, until it is made runnable. Interrupts are off on entry
 * and exit. */
void schedule_if_waiting(void);

/* The running thread is not to run again. Interrupts are off on entry. */
NORETURN void schedule_for_ever(void);

/* Puts a thread in transit, which the caller owns, into the queue of a CPU it may use. Context: irq-off. */
void thread_arrive(struct thread *thread, enum run_queue_arrival arrival);

/* Does what a change of this queue means for its CPU. Context: irq-off, no queue's lock held. */
void cpu_queue_tell(struct cpu_queue *queue, enum run_queue_effect effect);

/* After interrupts have come back on: gives the CPU away where that was asked for. */
void preempt_check(void);

/* The slice's timer (slice.c). Context: irq-off, on the CPU concerned. */
void slice_init(struct cpu_queue *queue);
void slice_arm(struct cpu_queue *queue, uint64_t slice_end_ns);
void slice_disarm(struct cpu_queue *queue);

/* The code of idle threads. */
NORETURN void idle_loop(void);
