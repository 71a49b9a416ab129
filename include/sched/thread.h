/* Threads of the kernel: making and ending them, waiting and waking, and what is known about each.
 *
 *     struct thread *worker;
 *     int code, error = thread_create(&worker, &(struct thread_options){.name = "worker"}, work, argument);
 *     if (error)
 *         return error;
 *     ...
 *     thread_join(worker, &code);      // or thread_detach(worker): one of them, once
 *
 * References keep the structure, not the thread: it runs until it returns from its function or calls thread_exit. Who
 * creates one holds a reference, which thread_join and thread_detach take. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <cpu/percpu.h>
#include <cpu/preempt.h>
#include <sched/class.h>
#include <sched/thread_waiting.h>

struct cpu_mask;
struct thread;

#define THREAD_NAME_MAX 24 /* bytes, with the 0; longer names are cut */

/* Flags of a thread: its vector and floating point registers are kept for it. It begins with
 * the initial ones (cpu/fpu.h). Other threads may not touch any: they are somebody else's. */
#define THREAD_USES_FPU (1u << 0)

struct thread_options {
    const char *name; /* copied */
    enum sched_class class;
    int nice;                        /* SCHED_FAIR: -20 (most) to 19 */
    unsigned priority;               /* SCHED_FIFO: 1 to 99 (most urgent) */
    const struct cpu_mask *affinity; /* CPUs it may run on; NULL: any */
    unsigned flags;                  /* THREAD_* */
};

typedef int (*thread_function)(void *argument); /* what it returns is the thread's exit code */

/* Makes a thread and starts it; it may have run before this returns. options may be NULL. Returns 0, -ENOMEM, or
 * -EINVAL for a class, nice value, priority or flag there is not, or an affinity without any CPU that
 * runs. Context: thread, but it does not wait. */
MUST_CHECK int thread_create(struct thread **out, const struct thread_options *options, thread_function function,
                             void *argument);

/* Waits until it has ended, stores its exit code where exit_code is not NULL, and drops the creator's reference.
 * Returns 0, or -EINVAL when it is the caller itself or somebody else is waiting for it already. Context: thread. */
int thread_join(struct thread *thread, int *exit_code);

/* Nobody will ask how it ended: drops the creator's reference. Context: any but NMI. */
void thread_detach(struct thread *thread);

/* Context: any but NMI. thread_get gives back its argument. */
struct thread *thread_get(struct thread *thread);
void thread_put(struct thread *thread);

/* Ends the running thread; it holds nothing any more. Not for the boot thread and the idle threads. Context: thread. */
NORETURN void thread_exit(int code);

/* Who runs here: NULL before sched_init. In an interrupt, the interrupted thread. Context: any. */
static ALWAYS_INLINE struct thread *thread_current(void)
{
    return this_cpu_read(percpu.current);
}

/* Lets others run that are as urgent; returns at once where there are none. Context: thread. */
void thread_yield(void);

/* Waiting. The only way to sleep; everything else (sync/...) is made of it:
 *
 *     thread_wait_begin(WAIT_QUEUE, queue);       // whoever makes the condition true from here on wakes us
 *     while (!condition) {
 *         error = thread_wait_until(deadline_ns); // ends the announcement
 *         if (error)
 *             return error;
 *         thread_wait_begin(WAIT_QUEUE, queue);
 *     }
 *     thread_wait_end();
 *
 * Who wakes makes the condition true first. thread_wait_begin and thread_wake are full memory barriers: either the
 * waiter sees the condition, or the waker sees the waiter. Between begin and until (or end) the thread must not sleep
 * in another way, but may take spinlocks and be preempted. A wake-up may come for nothing.
 *
 * What is waited for is for people to read; the object is never followed but by those who know its reason. */
enum thread_wait {
    WAIT_NOTHING,
    WAIT_MUTEX,      /* struct mutex */
    WAIT_RWLOCK,     /* struct rwlock */
    WAIT_SEMAPHORE,  /* struct semaphore */
    WAIT_COMPLETION, /* struct completion */
    WAIT_QUEUE,      /* struct wait_queue */
    WAIT_ONCE,       /* struct once */
    WAIT_JOIN,       /* struct thread */
    WAIT_SLEEP,      /* nothing but time: NULL */
    WAIT_BLOCK,      /* struct block_device */
    WAIT_WORK,       /* struct work, or NULL: any */
    WAIT_INPUT,      /* a key: NULL */
    WAIT_EVENT,      /* anything else; whatever its owner says */
    NR_THREAD_WAITS,
};

const char *thread_wait_name(enum thread_wait reason); /* "mutex" ... */

#ifdef __KEEL__
static ALWAYS_INLINE void thread_wait_begin(enum thread_wait reason, const void *object)
{
    struct thread_waiting *waiting = thread_waiting(thread_current());

    schedule_point();
    WRITE_ONCE(waiting->reason, reason);
    WRITE_ONCE(waiting->object, object);
    /* An exchange is W1 and W2 of src/sched/wait.c. */
    __atomic_exchange_n(&waiting->state, THREAD_HAS_BEGUN_WAIT, __ATOMIC_SEQ_CST);
    schedule_point();
}
#else
void thread_wait_begin(enum thread_wait reason, const void *object); /* a test's own */
#endif

/* Sleeps until somebody wakes this thread, or the deadline on clock_now_ns; UINT64_MAX is none. Returns 0, perhaps for
 * nothing, or -ETIMEDOUT once the deadline has passed. Context: thread. */
int thread_wait_until(uint64_t deadline_ns);

/* thread_wait_until without a deadline, by who has turned interrupts off before it announced the wait, and had them on
 * before: assert_may_sleep_irq_saved is the caller's part. They are off on return. Context: thread, irq-off. */
void thread_wait_irq_off(void);

/* Takes back thread_wait_begin. Context: the thread that began. */
void thread_wait_end(void);

/* Ends the wait that the thread has begun: true when there was one, asleep or about to be. The caller sees to it that
 * the thread exists until this returns: by a reference, or by a lock under which the waiter learns that it need not
 * wait. Context: any but NMI; a spinlock may be held. */
bool thread_wake(struct thread *thread);

/* The same with interrupts off; preempt_check is the caller's part, once they are back as they were. */
static inline bool thread_wake_irq_off(struct thread *thread);

/* Its class and how urgent it is in it. Takes effect at once, wherever the thread is. Returns 0, or -EINVAL as
 * thread_create, or for an idle thread. Context: thread. */
MUST_CHECK int thread_set_nice(struct thread *thread, int nice); /* kept for later by a FIFO thread */
MUST_CHECK int thread_set_class(struct thread *thread, enum sched_class class, unsigned priority);

/* The CPUs it may run on; NULL is any. A thread that runs elsewhere is moved, the caller itself before this returns.
 * Returns 0, or -EINVAL when no CPU of them runs. Context: thread. */
MUST_CHECK int thread_set_affinity(struct thread *thread, const struct cpu_mask *affinity);

/* One number for how urgent a thread is, comparable between classes: 1 (nice 19) to 40 (nice -20), then 40 + the
 * priority of a FIFO thread. It is the larger of the thread's own and what it inherits from who waits for a lock of it.
 * Context: any but NMI. */
#define THREAD_URGENCY_NONE 0u
unsigned thread_urgency(const struct thread *thread);

/* From here on the thread is at least so urgent; THREAD_URGENCY_NONE ends that. For sync's locks, which know what each
 * owner inherits from all of them. Context: any but NMI; a spinlock may be held. */
void thread_set_inherited_urgency(struct thread *thread, unsigned urgency);

/* What is known about a thread. Facts of a thread that runs elsewhere may be a moment old. */
enum thread_state { THREAD_RUNNING, THREAD_RUNNABLE, THREAD_WAITING, THREAD_DEAD };

struct thread_info {
    uint32_t number; /* 0 is the boot thread; used again after 2^32 threads */
    char name[THREAD_NAME_MAX];
    enum thread_state state;
    uint32_t cpu;
    enum sched_class class;
    int nice;
    unsigned priority;
    unsigned urgency; /* thread_urgency */
    unsigned flags;
    bool is_idle; /* a CPU's idle thread */
    enum thread_wait wait;
    const void *wait_object;
    uint64_t waiting_since_ns; /* on tsc_now_ns; 0: it does not wait */
    uint64_t cpu_time_ns;
    uint64_t nr_switches; /* how often it was given a CPU */
    const void *stack;    /* lowest address; NULL once it has ended */
    size_t stack_bytes;
};

uint32_t thread_number(const struct thread *thread);
const char *thread_name(const struct thread *thread); /* as long as the thread is */

/* Reads without a lock, allocates nothing. Context: any. */
void thread_get_info(const struct thread *thread, struct thread_info *info);

/* The wait that began at since_ns takes too long: true the first time for this wait. For the watchdog, which looks from
 * one CPU at a time. Context: any. */
bool thread_note_hung(struct thread *thread, uint64_t since_ns);

/* The registers' place where a thread that does not run goes on: for a backtrace. False where it runs, or is dead, as
 * far as can be told. Context: any. */
bool thread_saved_frame(const struct thread *thread, uint64_t *rip, uint64_t *rbp);

/* All threads, in the order of their numbers. Each is referenced while the loop's body has it; who leaves the loop
 * early puts it. Context: any but NMI. */
#define thread_for_each(thread) for ((thread) = thread_next(NULL); (thread); (thread) = thread_next(thread))
struct thread *thread_next(struct thread *previous); /* drops the reference to previous */

/* The same for reports, when every other CPU has been stopped or nothing better can be had: no lock, no reference. It
 * ends where the list is damaged or changed under way; thread_is_last_in_report tells that from its end (NULL: it is
 * empty). Context: any. */
struct thread *thread_next_in_report(const struct thread *previous);
bool thread_is_last_in_report(const struct thread *thread);

/* The two ways of thread_wake_irq_off: the short one is false where it cannot be gone, and has done nothing then. */
bool thread_try_hand_over_irq_off(struct thread *thread);
bool thread_wake_long_irq_off(struct thread *thread);

static inline bool thread_wake_irq_off(struct thread *thread)
{
    return LIKELY(thread_try_hand_over_irq_off(thread)) || thread_wake_long_irq_off(thread);
}
