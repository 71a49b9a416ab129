/* Making threads and ending them. A thread has two references of its own: the one of whoever made it, and one that goes
 * when its CPU has switched away from it for the last time. */
#include <sched/thread.h>

#include <base/assert.h>
#include <base/errno.h>
#include <base/layout.h>
#include <cpu/fpu.h>
#include <cpu/interrupts.h>
#include <cpu/random.h>
#include <lib/string.h>
#include <mm/slab.h>
#include <mm/stack.h>
#include <sched/sched.h>

#include "cpu_queue.h"
#include "priority.h"
#include "stack_cache.h"
#include "switch.h"
#include "thread_counters.h"

static struct slab_cache *thread_cache; /* [I] */
static struct slab_cache *fpu_cache;    /* [I] */
static uint32_t nr_unburied;            /* [a] threads that have ended, or are about to, and may still be on a stack */

int thread_cache_init(void)
{
    thread_cache = slab_cache_create("thread", sizeof(struct thread), 16, 0);
    fpu_cache = slab_cache_create("fpu area", fpu_area_bytes(), FPU_AREA_ALIGNMENT, 0);
    return thread_cache && fpu_cache ? 0 : -ENOMEM;
}

/* The top of a new stack. */
struct first_frame {
    struct saved_frame frame;
    uint64_t end_of_backtrace;
    struct stack_owner owner; /* at stack_owner_place */
};
static_assert(sizeof(struct first_frame) % 16 == 8, "thread_begin finds the stack aligned to 16");

void thread_prepare_stack(struct thread *thread)
{
    struct first_frame *frame = (struct first_frame *)((char *)thread->stack + KERNEL_STACK_SIZE) - 1;

    frame->frame.rip = (uint64_t)(uintptr_t)thread_begin;
    frame->frame.rbp = 0;
    frame->end_of_backtrace = 0; /* the owner: thread_sign_stack */
    thread->saved_rsp = frame;
}

void thread_sign_stack(const struct thread *thread)
{
    struct stack_owner *owner = stack_owner_place(thread->stack);

    static_assert(sizeof(owner->name) == sizeof(thread->name), "whole names are kept");
    __builtin_memcpy(owner->name, thread->name, sizeof(owner->name)); /* inline: three words */
    owner->thread = thread->number;
    WRITE_ONCE(owner->magic, STACK_OWNER_MAGIC);
}

void thread_prepare(struct thread *thread, const struct thread_options *options)
{
    static const struct cpu_mask every_cpu = {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};

    memset(thread, 0, sizeof(*thread));
    thread->canary = boot_random() & ~(uint64_t)0xff; /* a string that overruns a buffer cannot reproduce the 0 */
    thread->flags = options->flags;
    thread->references = (struct refcount)REFCOUNT_INITIALIZER(1);
    spinlock_init(&thread->lock, "thread");
    thread->policy.class = options->class;
    thread->policy.nice = options->nice;
    thread->policy.priority = options->priority;
    thread->affinity = options->affinity ? *options->affinity : every_cpu;
    strlcpy(thread->name, options->name ? options->name : "unnamed", sizeof(thread->name));
    sched_entity_init(&thread->entity, &thread->policy);
    thread->urgency = urgency_of_policy(&thread->policy);
}

static bool are_valid(const struct thread_options *options)
{
    const struct sched_policy policy = {options->class, options->nice, options->priority};

    return !(options->flags & ~THREAD_USES_FPU) && policy_is_valid(&policy);
}

static void free_fpu_area(struct thread *thread)
{
    if (!thread->fpu)
        return;
    slab_free(fpu_cache, thread->fpu);
    thread->fpu = NULL;
}

/* Interrupts off: preempted in between, the maker would hold up what it has made. */
static void start(struct thread *thread)
{
    uint64_t flags = irq_save();

    thread->cpu = this_cpu_read(percpu.cpu_number);
    thread_arrive(thread, ARRIVAL_NEW);
    irq_restore(flags);
    preempt_check();
}

/* Its stack, and where it keeps the FPU's registers. Returns 0, or -ENOMEM with nothing held. */
static int give_memory(struct thread *thread)
{
    if (thread->flags & THREAD_USES_FPU) {
        thread->fpu = slab_alloc(fpu_cache, 0);
        if (!thread->fpu)
            return -ENOMEM;
        fpu_area_init(thread->fpu);
        thread->uses_fpu = true;
    }
    thread->stack = thread_stack_get();
    if (thread->stack)
        return 0;
    free_fpu_area(thread);
    return -ENOMEM;
}

int thread_create(struct thread **out, const struct thread_options *options, thread_function function, void *argument)
{
    static const struct thread_options defaults = {.name = "unnamed"};
    struct thread *thread;

    if (!options)
        options = &defaults;
    if (!are_valid(options) || (options->affinity && !sched_any_cpu_of(options->affinity)))
        return -EINVAL;
    thread = slab_alloc(thread_cache, 0);
    if (!thread)
        return -ENOMEM;
    thread_prepare(thread, options);
    if (give_memory(thread) != 0) {
        slab_free(thread_cache, thread);
        return -ENOMEM;
    }
    thread->function = function;
    thread->argument = argument;
    thread_prepare_stack(thread);
    refcount_get(&thread->references); /* the maker's, and its own */
    thread_list_add(thread);
    thread_sign_stack(thread);
    *out = thread;
    start(thread);
    return 0;
}

struct thread *thread_get(struct thread *thread)
{
    refcount_get(&thread->references);
    return thread;
}

void thread_put(struct thread *thread)
{
    if (!refcount_put(&thread->references))
        return;
    thread_list_remove(thread);
    slab_free(thread_cache, thread);
}

void thread_detach(struct thread *thread)
{
    thread_put(thread);
}

/* Under the thread's lock the joiner learns that it need not wait any more, or else is still there to be woken. */
static void announce_end(struct thread *thread, int code)
{
    spinlock_lock(&thread->lock);
    thread->exit_code = code;
    thread->is_over = true;
    if (thread->joiner)
        (void)thread_wake(thread->joiner);
    spinlock_unlock(&thread->lock);
}

void thread_exit(int code)
{
    struct thread *thread = thread_current();

    assert_may_sleep();
    ASSERT(thread->function && !thread_is_idle(thread));
    thread_locks_at_exit(thread);
    preempt_disable(); /* the joiner, who may be more urgent, has to wait for the little that is left */
    __atomic_fetch_add(&nr_unburied, 1, __ATOMIC_RELAXED); /* seen by who learns of the end: the thread's lock */
    announce_end(thread, code);
    irq_disable();
    (void)preempt_count_decrement_();
    schedule_for_ever();
}

void thread_bury(struct thread *thread)
{
    void *stack = thread->stack;

    thread->stack = NULL;
    free_fpu_area(thread);
    thread_stack_put(stack);
    thread_put(thread);
    __atomic_fetch_sub(&nr_unburied, 1, __ATOMIC_RELEASE); /* pairs with the acquire in threads_settle */
}

/* 0: it is over. -EAGAIN: the caller is its joiner, or still is. -EINVAL: somebody else is. */
static int look_for_end(struct thread *thread, struct thread *joiner, int *exit_code)
{
    int result = 0;

    spinlock_lock(&thread->lock);
    if (thread->joiner && thread->joiner != joiner) {
        result = -EINVAL;
    } else if (thread->is_over) {
        *exit_code = thread->exit_code;
    } else {
        thread->joiner = joiner;
        result = -EAGAIN;
    }
    spinlock_unlock(&thread->lock);
    return result;
}

int thread_join(struct thread *thread, int *exit_code)
{
    struct thread *joiner = thread_current();
    int code, result;

    assert_may_sleep();
    if (thread == joiner)
        return -EINVAL;
    for (;;) {
        thread_wait_begin(WAIT_JOIN, thread);
        result = look_for_end(thread, joiner, &code);
        if (result != -EAGAIN)
            break;
        (void)thread_wait_until(UINT64_MAX);
    }
    thread_wait_end();
    if (result)
        return result;
    thread_put(thread);
    thread_stacks_trim();
    if (exit_code)
        *exit_code = code;
    return 0;
}

void threads_settle(void)
{
    while (__atomic_load_n(&nr_unburied, __ATOMIC_ACQUIRE) > 0)
        thread_yield();
    thread_stacks_drain();
}
