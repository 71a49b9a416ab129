/* There are no threads: thread_current() is NULL, so whoever waits does it by himself, and none of these is called but
 * where it makes no difference. */
#include <base/errno.h>
#include <sched/sched.h>
#include <sched/thread.h>
#include <smp/ipi.h>

int thread_create(struct thread **out, const struct thread_options *options, thread_function function, void *argument)
{
    return -ENOMEM;
}

struct thread *thread_get(struct thread *thread)
{
    return thread;
}

void thread_put(struct thread *thread)
{
}

bool thread_wake(struct thread *thread)
{
    return false;
}

bool thread_try_hand_over_irq_off(struct thread *thread)
{
    (void)thread;
    return false;
}

bool thread_wake_long_irq_off(struct thread *thread)
{
    return false;
}

void thread_wait_irq_off(void)
{
    __builtin_trap(); /* nobody would wake it */
}

void thread_wait_begin(enum thread_wait reason, const void *object)
{
}

int thread_wait_until(uint64_t deadline_ns)
{
    __builtin_trap(); /* nobody would wake it */
}

void thread_wait_end(void)
{
}

void thread_yield(void)
{
}

bool sched_halt_here(void)
{
    return false;
}

void ipi_reschedule(uint32_t cpu)
{
}
