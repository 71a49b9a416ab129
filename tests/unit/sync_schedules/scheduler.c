#include "scheduler.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <base/assert.h>
#include <base/errno.h>
#include <cpu/interrupts.h>
#include <debug/panic.h>
#include <lib/list.h>

#include "explore.h"

struct thread test_threads[EXPLORE_THREADS_MAX];

void scheduler_set_up(void)
{
    memset(test_threads, 0, sizeof(test_threads));
    for (unsigned i = 0; i < EXPLORE_THREADS_MAX; i++) {
        test_threads[i].number = i;
        test_threads[i].urgency = 20;
    }
}

void scheduler_check_end(void)
{
    for (unsigned i = 0; i < EXPLORE_THREADS_MAX; i++) {
        const struct thread *thread = &test_threads[i];

        if (thread->locks.held || thread->locks.waiting || thread->locks.contended.root)
            explore_fail("thread %u ended, and a lock knows it", i);
        if (thread->inherited != THREAD_URGENCY_NONE)
            explore_fail("thread %u ended with an inherited urgency of %u", i, thread->inherited);
        if (thread->nr_references != 0)
            explore_fail("thread %u ended with %u references", i, thread->nr_references);
        if (thread->wait_state != THREAD_AWAKE)
            explore_fail("thread %u ended with a wait announced", i);
    }
}

struct thread *scheduler_thread(unsigned thread)
{
    return &test_threads[thread];
}

static void check_exists(const struct thread *thread, const char *what)
{
    if (explore_has_ended(thread->number) && thread->nr_references == 0)
        explore_fail("%s of thread %u, which has ended", what, thread->number);
}

void thread_wait_begin(enum thread_wait reason, const void *object)
{
    (void)reason, (void)object;
    explore_point();
    if (thread_current()->wait_state != THREAD_AWAKE)
        explore_fail("thread %u waits in a wait", explore_current());
    thread_current()->wait_state = THREAD_ANNOUNCED;
}

void thread_wait_end(void)
{
    explore_point();
    thread_current()->wait_state = THREAD_AWAKE;
}

int thread_wait_until(uint64_t deadline_ns)
{
    struct thread *thread = thread_current();
    bool has_timed_out = false;

    explore_point();
    if (thread->wait_state == THREAD_ANNOUNCED) {
        thread->wait_state = THREAD_ASLEEP;
        has_timed_out = explore_block(deadline_ns != UINT64_MAX);
    }
    thread->wait_state = THREAD_AWAKE;
    return has_timed_out ? -ETIMEDOUT : 0;
}

bool thread_wake(struct thread *thread)
{
    explore_point();
    check_exists(thread, "waking");
    if (thread->wait_state == THREAD_AWAKE)
        return false;
    thread->wait_state = THREAD_AWAKE;
    explore_unblock(thread->number);
    explore_point();
    check_exists(thread, "waking"); /* it is in use up to here */
    return true;
}

/* What is locked inside keeps this thread from being preempted in between. */
bool thread_try_hand_over_irq_off(struct thread *thread)
{
    (void)thread;
    return false;
}

bool thread_wake_long_irq_off(struct thread *thread)
{
    if (irqs_are_enabled())
        explore_fail("thread %u wakes with interrupts on", explore_current());
    return thread_wake(thread);
}

void thread_wait_irq_off(void)
{
    if (irqs_are_enabled())
        explore_fail("thread %u goes to sleep with interrupts on", explore_current());
    (void)!thread_wait_until(UINT64_MAX);
}

struct thread *thread_get(struct thread *thread)
{
    check_exists(thread, "a reference");
    thread->nr_references++;
    return thread;
}

void thread_put(struct thread *thread)
{
    thread->nr_references--;
}

unsigned thread_urgency(const struct thread *thread)
{
    return thread->urgency > thread->inherited ? thread->urgency : thread->inherited;
}

void thread_set_inherited_urgency(struct thread *thread, unsigned urgency)
{
    check_exists(thread, "a new urgency");
    thread->inherited = urgency;
}

const char *thread_name(const struct thread *thread)
{
    static const char *const names[] = {"0", "1", "2", "3"};

    return names[thread->number];
}

static NORETURN void fail(const char *format, va_list arguments)
{
    char words[256];

    vsnprintf(words, sizeof(words), format, arguments);
    explore_fail("%s", words);
}

void panic(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fail(format, arguments);
}

void warn(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fail(format, arguments);
}

void assert_fail(const char *expression, const char *file, int line, const char *function)
{
    explore_fail("%s:%d: %s: assertion failed: %s", file, line, function, expression);
}

void list_corrupted(const struct list *node, const struct list *neighbour, const struct list *found,
                    const char *operation)
{
    (void)node, (void)neighbour, (void)found;
    explore_fail("list corrupted: %s", operation);
}
