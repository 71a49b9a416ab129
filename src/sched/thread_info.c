/* What is known about a thread, for people. Nothing here takes a lock: each fact is one read. */
#include <base/layout.h>
#include <lib/format.h>
#include <lib/string.h>

#include "cpu_queue.h"
#include "switch.h"

uint32_t thread_number(const struct thread *thread)
{
    return thread->number;
}

const char *thread_name(const struct thread *thread)
{
    return thread->name;
}

void thread_format_current(char *buffer, size_t size)
{
    const struct thread *thread = thread_current();

    if (thread && thread->number > 0)
        snprintf(buffer, size, "%u '%s'", thread->number, thread->name);
    else
        strlcpy(buffer, "boot", size);
}

static bool runs_on_its_cpu(const struct thread *thread)
{
    uint32_t cpu = __atomic_load_n(&thread->cpu, __ATOMIC_RELAXED);

    /* A report may look at a thread that is damaged. */
    return cpu < percpu_nr_cpus() && READ_ONCE(percpu_of(cpu, percpu)->current) == thread;
}

static enum thread_state state_of(const struct thread *thread)
{
    if (READ_ONCE(thread->is_over))
        return THREAD_DEAD;
    if (runs_on_its_cpu(thread))
        return THREAD_RUNNING;
    if (thread_is_idle(thread) || READ_ONCE(thread->entity.state) != ENTITY_OUT)
        return THREAD_RUNNABLE;
    return READ_ONCE(thread->waiting.state) == THREAD_IS_AWAKE ? THREAD_RUNNABLE : THREAD_WAITING;
}

/* With what a running one has not been charged for yet: where nobody else wants the CPU nobody charges it. Charged
 * between the two readings, it has been for nearly all. */
static uint64_t cpu_time_of(const struct thread *thread, enum thread_state state)
{
    uint64_t charged = READ_ONCE(thread->entity.run_time_ns), since = READ_ONCE(thread->entity.started_ns);
    uint64_t now = sched_now_ns(), again = READ_ONCE(thread->entity.run_time_ns);

    if (state != THREAD_RUNNING || thread_is_idle(thread) || again != charged || now < since)
        return again;
    return charged + (now - since);
}

void thread_get_info(const struct thread *thread, struct thread_info *info)
{
    enum thread_state state = state_of(thread);

    *info = (struct thread_info){
        .number = thread->number,
        .state = state,
        .cpu = READ_ONCE(thread->cpu),
        .class = READ_ONCE(thread->policy.class),
        .nice = READ_ONCE(thread->policy.nice),
        .priority = READ_ONCE(thread->policy.priority),
        .urgency = thread_urgency(thread),
        .flags = thread->flags & ~THREAD_IS_IDLE,
        .is_idle = thread_is_idle(thread),
        .wait = (enum thread_wait)READ_ONCE(thread->waiting.reason),
        .wait_object = READ_ONCE(thread->waiting.object),
        .waiting_since_ns = READ_ONCE(thread->wait_since),
        .cpu_time_ns = cpu_time_of(thread, state),
        .nr_switches = READ_ONCE(thread->nr_switches),
        .stack = READ_ONCE(thread->stack),
        .stack_bytes = KERNEL_STACK_SIZE,
    };
    strlcpy(info->name, thread->name, sizeof(info->name));
}

bool thread_saved_frame(const struct thread *thread, uint64_t *rip, uint64_t *rbp)
{
    const struct saved_frame *saved = READ_ONCE(thread->saved_rsp);

    if (!saved || !READ_ONCE(thread->stack) || runs_on_its_cpu(thread))
        return false;
    *rbp = saved->rbp;
    *rip = saved->rip;
    return true;
}

bool thread_note_hung(struct thread *thread, uint64_t since_ns)
{
    bool is_new = thread->hung_since != since_ns;

    thread->hung_since = since_ns;
    return is_new;
}
