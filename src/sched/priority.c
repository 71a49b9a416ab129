/* How urgent a thread is: what it was given, or what it inherits where that is more. The run queue knows only the
 * result. */
#include <base/errno.h>
#include <cpu/interrupts.h>

#include "cpu_queue.h"
#include "priority.h"
#include "spread.h"

#define URGENCY_FAIR_MAX (NICE_MAX - NICE_MIN + 1) /* of nice -20; nice 19 is 1 */

unsigned urgency_of_policy(const struct sched_policy *policy)
{
    if (policy->class == SCHED_FIFO)
        return URGENCY_FAIR_MAX + policy->priority;
    return (unsigned)(NICE_MAX + 1 - policy->nice);
}

/* What has this urgency; what the other class would go by is taken from `own`. */
static struct sched_policy policy_of_urgency(unsigned urgency, const struct sched_policy *own)
{
    if (urgency > URGENCY_FAIR_MAX)
        return (struct sched_policy){SCHED_FIFO, own->nice, urgency - URGENCY_FAIR_MAX};
    return (struct sched_policy){SCHED_FAIR, NICE_MAX + 1 - (int)urgency, own->priority};
}

/* [q] */
static enum run_queue_effect apply(struct cpu_queue *queue, struct thread *thread)
{
    unsigned own = urgency_of_policy(&thread->policy);
    unsigned urgency = thread->inherited > own ? thread->inherited : own;
    struct sched_policy policy = urgency == own ? thread->policy : policy_of_urgency(urgency, &thread->policy);

    __atomic_store_n(&thread->urgency, urgency, __ATOMIC_RELAXED);
    return run_queue_set_policy(&queue->queue, &thread->entity, &policy, sched_now_ns());
}

/* Writes down what changes, under the thread's queue's lock. */
typedef void (*change_function)(struct thread *thread, const struct sched_policy *policy);

static void change(struct thread *thread, change_function write_down, const struct sched_policy *policy)
{
    uint64_t flags = irq_save();
    struct cpu_queue *queue = thread_queue_lock(thread);
    enum run_queue_effect effect;
    bool must_push;

    write_down(thread, policy);
    effect = apply(queue, thread);
    must_push = spread_take_push(queue);
    spinlock_unlock_irq_off(&queue->lock);
    cpu_queue_tell(queue, effect);
    if (must_push)
        spread_push_all(queue);
    else if (effect == EFFECT_BEHIND)
        spread_push(queue);
    irq_restore(flags);
    preempt_check();
}

static void write_nice(struct thread *thread, const struct sched_policy *policy)
{
    thread->policy.nice = policy->nice;
}

static void write_class(struct thread *thread, const struct sched_policy *policy)
{
    thread->policy.class = policy->class;
    if (policy->class == SCHED_FIFO)
        thread->policy.priority = policy->priority;
}

static void write_inherited(struct thread *thread, const struct sched_policy *policy)
{
    thread->inherited = policy ? urgency_of_policy(policy) : THREAD_URGENCY_NONE;
}

int thread_set_nice(struct thread *thread, int nice)
{
    if (thread_is_idle(thread) || nice < NICE_MIN || nice > NICE_MAX)
        return -EINVAL;
    change(thread, write_nice, &(struct sched_policy){.nice = nice});
    thread_locks_urgency_changed(thread);
    return 0;
}

int thread_set_class(struct thread *thread, enum sched_class class, unsigned priority)
{
    struct sched_policy policy = {.class = class, .priority = priority};

    if (thread_is_idle(thread) || !policy_is_valid(&policy))
        return -EINVAL;
    change(thread, write_class, &policy);
    thread_locks_urgency_changed(thread);
    return 0;
}

bool policy_is_valid(const struct sched_policy *policy)
{
    if (policy->nice < NICE_MIN || policy->nice > NICE_MAX)
        return false;
    if (policy->class == SCHED_FAIR)
        return true;
    return policy->class == SCHED_FIFO && policy->priority >= FIFO_PRIORITY_MIN &&
           policy->priority <= FIFO_PRIORITY_MAX;
}

unsigned thread_urgency(const struct thread *thread)
{
    return __atomic_load_n(&thread->urgency, __ATOMIC_RELAXED);
}

void thread_set_inherited_urgency(struct thread *thread, unsigned urgency)
{
    static const struct sched_policy none;
    struct sched_policy policy;

    if (READ_ONCE(thread->inherited) == urgency) /* the caller's lock keeps it */
        return;
    policy = urgency == THREAD_URGENCY_NONE ? none : policy_of_urgency(urgency, &none);
    change(thread, write_inherited, urgency == THREAD_URGENCY_NONE ? NULL : &policy);
}
