/* A thread, as sched sees it.
 *
 * States, by two words: `wait` is what the thread has announced, entity.state where the run queues have it.
 *
 *     entity      wait    meaning
 *     RUNNING     awake   runs, on `cpu`
 *     RUNNING     waits   runs, has announced a wait; it sleeps if nobody wakes it before it calls thread_wait_until
 *     QUEUED      either  wants `cpu`; one that was preempted between announcing and sleeping is queued as well
 *     OUT         waits   sleeps
 *     OUT         awake   in transit: new, woken or moving; one context owns it and will put it into a queue. Or dead
 *
 * Invariants, cited as T1 to T5:
 *  T1. [q] is the lock of the run queue of `cpu`. `cpu` changes only under that lock, so who holds the lock of the
 *      queue that `cpu` names, and finds it still named, has the thread (thread_queue_lock).
 *  T2. A CPU switches from one thread to another while it holds its own queue's lock, and the other one releases it. So
 *      while the lock is free the saved registers of every thread that is not RUNNING there are complete, and nobody is
 *      on their stacks.
 *  T3. Only who changes `wait` from waits to awake under [q], and finds the entity OUT, makes the thread runnable: it
 *      is put into one queue once.
 *  T4. A thread in transit has one owner. Others may change its affinity and policy meanwhile, under [q]; the owner
 *      looks at the affinity under the lock of the queue it puts the thread into. Who moves one that was about to sleep
 *      ends its wait for nothing, so that no waker is a second owner (T3).
 *  T5. Two queues' locks are taken in the order of their CPUs' numbers, one by try_lock, or never together. */
#pragma once

#include <cpu/cpu_mask.h>
#include <lib/list.h>
#include <sched/entity.h>
#include <sched/thread.h>
#include <sched/thread_locks.h>
#include <sched/thread_waiting.h>
#include <sync/refcount.h>
#include <sync/spinlock.h>
#include <time/timer.h>

#define THREAD_IS_IDLE (1u << 31) /* in flags: a CPU's idle thread, in no queue */

/* What its CPU does with a thread that it has switched away from. */
enum thread_leaves {
    THREAD_STAYS, /* nothing */
    THREAD_MOVES, /* it was RUNNING where it may not be any more: puts it elsewhere */
    THREAD_ENDS,  /* buries it */
};

struct thread {
    struct thread_locks locks; /* sync's */
    struct thread_waiting waiting;
    void *saved_rsp; /* [q] of one that does not run; switch.h */
    uint64_t canary; /* [I] for the compiler's stack protector; switch.h */
    uint32_t cpu;    /* [a] T1 */
    uint32_t flags;  /* [I] */
    union {
        struct {
            uint8_t leaves; /* [q] enum thread_leaves */
            bool uses_fpu;  /* [I] flags has THREAD_USES_FPU */
        };
        uint16_t leaves_or_uses_fpu; /* one test of both, on the way of every switch */
    };
    bool has_timed_out; /* [o] o: the thread itself; and its timer's function, which does not run when it looks */
    struct sched_entity entity; /* [q] */
    void *stack;                /* [I] lowest address, until buried */
    void *fpu;                  /* [I] its FPU area (cpu/fpu.h), until buried; NULL: it uses none */

    thread_function function; /* [I] */
    void *argument;           /* [I] */
    uint32_t number;          /* [I] */
    struct refcount references;
    char name[THREAD_NAME_MAX]; /* [I] */
    struct list link;           /* the lock "threads" */

    struct spinlock lock;  /* "thread" */
    struct thread *joiner; /* [l] waits for the end */
    bool is_over;          /* [l] exit_code is there */
    int exit_code;         /* [l] */

    struct cpu_mask affinity;   /* [q] */
    struct sched_policy policy; /* [q] its own; the entity has that or what it inherits */
    unsigned inherited;         /* [q] urgency; written under sync's lock besides */
    unsigned urgency;           /* [q] the larger of the two; others may read it */

    uint64_t wait_since;  /* [o] since when it sleeps, by tsc_now_ns; 0: it does not. Others read it for reports */
    uint64_t hung_since;  /* the wait_since the watchdog has reported; its own */
    uint64_t nr_switches; /* [q] */
    struct timer timer;   /* of thread_wait_until */
    struct lockdep_holds lockdep;
};

static_assert(offsetof(struct thread, locks) == 0, "thread_locks takes the one for the other");
static_assert(offsetof(struct thread, waiting) == sizeof(struct thread_locks), "thread_waiting finds it there");

static inline struct thread *thread_of_entity(struct sched_entity *entity)
{
    return CONTAINER_OF(entity, struct thread, entity);
}

static inline bool thread_is_idle(const struct thread *thread)
{
    return (thread->flags & THREAD_IS_IDLE) != 0;
}

/* [q] It is OUT, or about to be, to be put elsewhere by the caller: T4. */
static inline void thread_begin_transit(struct thread *thread)
{
    __atomic_store_n(&thread->waiting.state, THREAD_IS_AWAKE, __ATOMIC_RELAXED);
}

/* For reports: "boot", or number and name of who runs here, "12 'work'". Context: any. */
void thread_format_current(char *buffer, size_t size);

/* Threads that exist, in the order of their numbers (thread_list.c). */
void thread_list_add(struct thread *thread);
void thread_list_remove(struct thread *thread);

/* Fills a new thread's structure, with one reference and no stack. Context: any. */
void thread_prepare(struct thread *thread, const struct thread_options *options);

/* Has a new thread begin in entry on its stack when it is first switched to, interrupts off, the queue's lock held.
 * thread_begin (switch.asm) calls thread_start. */
void thread_prepare_stack(struct thread *thread);

/* Writes on a stack of stack_alloc, which holds its first frame, whose it is; the thread has its number. */
void thread_sign_stack(const struct thread *thread);

NORETURN void thread_start(struct thread *thread, struct thread *previous);

/* A thread that will never run again and that nobody is switching from: its stack goes, and the reference of the one
 * that ran. Context: irq-off. */
void thread_bury(struct thread *thread);
