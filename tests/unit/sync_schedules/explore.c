/* The search: an execution is known by its decisions; the next one is the last one with its last decision that has
 * another side taken the other way. */
#include "explore.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <cpu/preempt.h>

#define STACK_BYTES   (64u * 1024u)
#define DECISIONS_MAX 4096
#define PRINTED_MAX   1000 /* decisions */
#define SPINS_MAX     64   /* turns of a loop without anybody doing anything */

enum activity { READY, SPINNING, SLEEPING, SLEEPING_WITH_DEADLINE, ENDED };

struct thread_state {
    enum activity activity;
    bool has_timed_out;
    bool are_irqs_off;
    struct percpu percpu; /* many CPUs: its own one, while it does not run */
    uintptr_t stack_pointer;
    jmp_buf context;
};

struct decision {
    uint8_t nr_options, taken;
    uint8_t threads[EXPLORE_THREADS_MAX];
    bool is_free;           /* no preemption, whatever is taken */
    uint8_t nr_preemptions; /* before it */
};

static const struct explore_test *running;
static enum explore_machine machine;
static _Alignas(64) uint8_t stacks[EXPLORE_THREADS_MAX][STACK_BYTES];
static struct thread_state threads[EXPLORE_THREADS_MAX];
static unsigned current = EXPLORE_THREADS_MAX; /* EXPLORE_THREADS_MAX: none, the search */
static unsigned next_thread;
static jmp_buf searcher;

static struct decision decisions[DECISIONS_MAX];
static unsigned nr_decisions, nr_replayed, nr_preemptions, nr_idle_spins;
static uint64_t nr_executions;

static unsigned taken_thread(unsigned decision)
{
    return decisions[decision].threads[decisions[decision].taken];
}

void explore_fail(const char *format, ...)
{
    va_list arguments;

    fflush(stdout);
    fprintf(stderr, "%s, %s, execution %lu: ", running ? running->name : "?",
            machine == EXPLORE_ONE_CPU ? "one CPU" : "many CPUs", (unsigned long)nr_executions);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    static const char *const words[] = {"could run", "spins", "sleeps", "sleeps with a deadline", "has ended"};

    for (unsigned i = 0; running && i < running->nr_threads; i++)
        fprintf(stderr, "%s thread %u %s", i ? "," : ";", i, words[threads[i].activity]);
    fprintf(stderr, "\ndecisions (to thread * times):");
    for (unsigned i = 0, times = 1; i < nr_decisions && i < PRINTED_MAX; i++, times++)
        if (i + 1 == nr_decisions || taken_thread(i) != taken_thread(i + 1)) {
            fprintf(stderr, " %u*%u", taken_thread(i), times);
            times = 0;
        }
    fprintf(stderr, "\n");
    exit(1);
}

/* Who spins looks again. */
static void wake_spinners(void)
{
    for (unsigned i = 0; i < running->nr_threads; i++)
        if (threads[i].activity == SPINNING)
            threads[i].activity = READY;
}

unsigned explore_current(void)
{
    return current;
}

bool explore_has_ended(unsigned thread)
{
    return threads[thread].activity == ENDED;
}

bool explore_irqs_are_enabled(void)
{
    return current == EXPLORE_THREADS_MAX || !threads[current].are_irqs_off;
}

/* ---- deciding ---- */

static bool can_run(unsigned thread)
{
    return threads[thread].activity == READY || threads[thread].activity == SLEEPING_WITH_DEADLINE;
}

static bool may_be_preempted(void)
{
    return machine == EXPLORE_MANY_CPUS || (!threads[current].are_irqs_off && preempt_depth() == 0);
}

/* Who could go on: the running thread first, where it can. Time-outs last, so that they come when nobody else is left
 * or as a preemption. */
static void list_options(struct decision *decision)
{
    bool stays = current != EXPLORE_THREADS_MAX && threads[current].activity == READY;

    memset(decision, 0, sizeof(*decision));
    decision->nr_preemptions = (uint8_t)nr_preemptions;
    if (stays)
        decision->threads[decision->nr_options++] = (uint8_t)current;
    if (stays && (nr_preemptions >= running->preemptions || !may_be_preempted()))
        return;
    for (int with_deadline = 0; with_deadline <= 1; with_deadline++)
        for (unsigned i = 0; i < running->nr_threads; i++)
            if (!(stays && i == current) && can_run(i) &&
                (threads[i].activity == SLEEPING_WITH_DEADLINE) == (with_deadline == 1))
                decision->threads[decision->nr_options++] = (uint8_t)i;
    decision->is_free = !stays;
}

static unsigned decide(void)
{
    struct decision decision;
    unsigned n = nr_decisions;

    list_options(&decision);
    if (decision.nr_options <= 1)
        return decision.nr_options == 1 ? decision.threads[0] : EXPLORE_THREADS_MAX;
    if (n >= DECISIONS_MAX)
        explore_fail("an execution without end");
    if (n < nr_replayed) {
        decision.taken = decisions[n].taken;
        if (decision.nr_options != decisions[n].nr_options)
            explore_fail("executions differ");
    }
    decisions[nr_decisions++] = decision;
    if (!decision.is_free && decision.taken != 0)
        nr_preemptions++;
    return decision.threads[decision.taken];
}

/* Whoever comes next in turn: to try all here would multiply what is tried by each turn of each loop. */
static unsigned next_of_spinner(void)
{
    for (unsigned i = 1; i < running->nr_threads; i++)
        if (threads[(current + i) % running->nr_threads].activity == READY)
            return (current + i) % running->nr_threads;
    return decide();
}

/* The next execution's decisions; false when there is none. */
static bool step_back(void)
{
    while (nr_decisions > 0) {
        struct decision *last = &decisions[nr_decisions - 1];

        if (++last->taken < last->nr_options) {
            nr_replayed = nr_decisions;
            return true;
        }
        nr_decisions--;
    }
    return false;
}

/* ---- switching ---- */

static __attribute__((noinline)) uintptr_t below_caller(void)
{
    return (uintptr_t)__builtin_frame_address(0);
}

static void leave(void)
{
    struct thread_state *thread = &threads[current];

    thread->stack_pointer = below_caller();
    thread->percpu = percpu;
    if (_setjmp(thread->context) == 0)
        _longjmp(searcher, 1);
}

static void go_on(unsigned thread)
{
    struct thread_state *to = &threads[thread];

    if (to->activity == SLEEPING_WITH_DEADLINE) {
        to->activity = READY;
        to->has_timed_out = true;
    }
    if (machine == EXPLORE_MANY_CPUS)
        percpu = to->percpu;
    percpu.cpu_number = machine == EXPLORE_MANY_CPUS ? thread : 0;
    percpu.current = scheduler_thread(thread);
    current = thread;
    if (_setjmp(searcher) == 0)
        _longjmp(to->context, 1);
    current = EXPLORE_THREADS_MAX;
}

static void switch_to(unsigned thread)
{
    next_thread = thread;
    if (thread != current)
        leave();
}

/* Who spins is not let on by others' loads: two who spin would let each other on for ever. */
static void point(bool is_store)
{
    if (current == EXPLORE_THREADS_MAX)
        return;
    if (is_store) {
        nr_idle_spins = 0;
        wake_spinners();
    }
    switch_to(decide());
}

void explore_point(void)
{
    point(true);
}

/* A spinlock, which has no hooks, is taken next, or was given back. */
void explore_set_irqs(bool are_enabled)
{
    if (current == EXPLORE_THREADS_MAX)
        return;
    if (!are_enabled && !threads[current].are_irqs_off)
        point(false);
    threads[current].are_irqs_off = !are_enabled;
    if (are_enabled)
        wake_spinners();
}

void explore_relax(void)
{
    unsigned other;

    if (machine == EXPLORE_ONE_CPU && !may_be_preempted())
        explore_fail("thread %u spins and keeps the only CPU", current);
    if (++nr_idle_spins > SPINS_MAX)
        explore_fail("thread %u spins for what nobody does", current);
    threads[current].activity = SPINNING;
    other = next_of_spinner();
    if (other == EXPLORE_THREADS_MAX) { /* all spin: what the first waits for may have been done without a point */
        wake_spinners();
        threads[current].activity = SPINNING;
        other = next_of_spinner();
    }
    if (other == EXPLORE_THREADS_MAX)
        explore_fail("thread %u spins for what nobody does", current);
    switch_to(other);
}

bool explore_block(bool may_time_out)
{
    struct thread_state *thread = &threads[current];

    thread->activity = may_time_out ? SLEEPING_WITH_DEADLINE : SLEEPING;
    thread->has_timed_out = false;
    wake_spinners();
    next_thread = decide();
    leave();
    return thread->has_timed_out;
}

void explore_unblock(unsigned thread)
{
    if (threads[thread].activity == SLEEPING || threads[thread].activity == SLEEPING_WITH_DEADLINE)
        threads[thread].activity = READY;
}

static void begin(void)
{
    leave();
    running->run[current]();
    if (percpu.held_locks || preempt_depth() != 0 || threads[current].are_irqs_off)
        explore_fail("thread %u ends with a spinlock, or preemption or interrupts off", current);
    threads[current].activity = ENDED;
    wake_spinners();
    next_thread = decide();
    leave();
}

static void start_thread(unsigned thread)
{
    ucontext_t context;

    memset(&threads[thread], 0, sizeof(threads[thread]));
    getcontext(&context);
    context.uc_stack.ss_sp = stacks[thread];
    context.uc_stack.ss_size = STACK_BYTES;
    context.uc_link = NULL;
    makecontext(&context, begin, 0);
    percpu = (struct percpu){.preempt_count = PREEMPT_NO_RESCHEDULE};
    current = thread;
    if (_setjmp(searcher) == 0)
        setcontext(&context);
    current = EXPLORE_THREADS_MAX;
}

static void execute(void)
{
    nr_decisions = nr_preemptions = nr_idle_spins = 0;
    running->set_up();
    for (unsigned i = 0; i < running->nr_threads; i++)
        start_thread(i);
    next_thread = decide();
    while (next_thread != EXPLORE_THREADS_MAX)
        go_on(next_thread);
    for (unsigned i = 0; i < running->nr_threads; i++)
        if (threads[i].activity != ENDED)
            explore_fail("thread %u sleeps for ever", i);
    running->at_end();
    nr_executions++;
}

uint64_t explore(const struct explore_test *test, enum explore_machine on)
{
    running = test;
    machine = on;
    nr_replayed = 0;
    nr_executions = 0;
    do
        execute();
    while (step_back());
    return nr_executions;
}

/* ---- the hooks ---- */

/* Somebody's stack below its stack pointer is nobody's any more. */
static bool is_on_own_stack(const volatile void *at)
{
    uintptr_t address = (uintptr_t)at, base = (uintptr_t)stacks;
    unsigned owner = (unsigned)((address - base) / STACK_BYTES);

    if (address < base || owner >= EXPLORE_THREADS_MAX)
        return false;
    if (owner != current && (threads[owner].activity == ENDED || address < threads[owner].stack_pointer))
        explore_fail("thread %u touches what thread %u had on its stack", current, owner);
    return owner == current;
}

static void before_plain(const volatile void *at, bool is_store)
{
    if (current != EXPLORE_THREADS_MAX && !is_on_own_stack(at))
        point(is_store);
    if (current != EXPLORE_THREADS_MAX)
        (void)is_on_own_stack(at); /* who went on meanwhile may have left it */
}

static void before_atomic(const volatile void *at, bool is_store)
{
    point(is_store);
    if (current != EXPLORE_THREADS_MAX)
        (void)is_on_own_stack(at);
}

void __tsan_init(void);
void __tsan_func_entry(void *caller);
void __tsan_func_exit(void);
void __tsan_read_range(void *at, size_t length);
void __tsan_write_range(void *at, size_t length);
void __tsan_atomic_thread_fence(int order);

void __tsan_init(void)
{
}

void __tsan_func_entry(void *caller)
{
    (void)caller;
}

void __tsan_func_exit(void)
{
}

void __tsan_read_range(void *at, size_t length)
{
    (void)length;
    before_plain(at, false);
}

void __tsan_write_range(void *at, size_t length)
{
    (void)length;
    before_plain(at, true);
}

void __tsan_atomic_thread_fence(int order)
{
    (void)order;
}

#define PLAIN(name, is_store)       \
    void __tsan_##name(void *);     \
    void __tsan_##name(void *at)    \
    {                               \
        before_plain(at, is_store); \
    }
#define PLAIN_HOOKS(bytes)              \
    PLAIN(read##bytes, false)           \
    PLAIN(unaligned_read##bytes, false) \
    PLAIN(volatile_read##bytes, false)  \
    PLAIN(write##bytes, true)           \
    PLAIN(unaligned_write##bytes, true) \
    PLAIN(volatile_write##bytes, true)
PLAIN_HOOKS(1)
PLAIN_HOOKS(2)
PLAIN_HOOKS(4)
PLAIN_HOOKS(8)
PLAIN_HOOKS(16)

#define ATOMIC_READ_MODIFY_WRITE(type, bits, name)                              \
    type __tsan_atomic##bits##_##name(volatile type *, type, int);              \
    type __tsan_atomic##bits##_##name(volatile type *at, type value, int order) \
    {                                                                           \
        (void)order;                                                            \
        before_atomic(at, true);                                                \
        return __atomic_##name(at, value, __ATOMIC_SEQ_CST);                    \
    }
#define ATOMIC_HOOKS(type, bits)                                                                                    \
    type __tsan_atomic##bits##_load(const volatile type *, int);                                                    \
    type __tsan_atomic##bits##_load(const volatile type *at, int order)                                             \
    {                                                                                                               \
        (void)order;                                                                                                \
        before_atomic(at, false);                                                                                   \
        return *at;                                                                                                 \
    }                                                                                                               \
    void __tsan_atomic##bits##_store(volatile type *, type, int);                                                   \
    void __tsan_atomic##bits##_store(volatile type *at, type value, int order)                                      \
    {                                                                                                               \
        (void)order;                                                                                                \
        before_atomic(at, true);                                                                                    \
        *at = value;                                                                                                \
    }                                                                                                               \
    int __tsan_atomic##bits##_compare_exchange_strong(volatile type *, type *, type, int, int);                     \
    int __tsan_atomic##bits##_compare_exchange_strong(volatile type *at, type *expected, type desired, int, int);   \
    int __tsan_atomic##bits##_compare_exchange_strong(volatile type *at, type *expected, type desired, int success, \
                                                      int failure)                                                  \
    {                                                                                                               \
        (void)success, (void)failure;                                                                               \
        before_atomic(at, true);                                                                                    \
        return __atomic_compare_exchange_n(at, expected, desired, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);           \
    }                                                                                                               \
    ATOMIC_READ_MODIFY_WRITE(type, bits, fetch_add)                                                                 \
    ATOMIC_READ_MODIFY_WRITE(type, bits, fetch_sub)                                                                 \
    ATOMIC_READ_MODIFY_WRITE(type, bits, fetch_and)                                                                 \
    ATOMIC_READ_MODIFY_WRITE(type, bits, fetch_or)
ATOMIC_HOOKS(uint8_t, 8)
ATOMIC_HOOKS(uint32_t, 32)
ATOMIC_HOOKS(uint64_t, 64)
