/* The system request that shows who waits for what: for when nothing moves any more. The interrupted code may hold any
 * lock, the list of threads' too, and what is waited for may go while it is looked at: so no lock is taken, and what is
 * waited for is read as memory that may not be there. */
#include <base/errno.h>
#include <cpu/exception_table.h>
#include <cpu/tsc.h>
#include <debug/backtrace.h>
#include <debug/log.h>
#include <debug/sysrq.h>
#include <lib/format.h>
#include <sched/thread.h>
#include <sync/mutex.h>
#include <sync/spinlock.h>
#include <time/clock.h>

#include "hung.h"

#define SLEEPERS_MAX 64 /* shown; the log has room for so many and not many more */
#define FRAMES_MAX   12
#define NAME_MAX     48
#define TEXT_MAX     160

/* A name as a lock points to one: a string of the kernel's own. "?" where there is none. */
static void read_name(char *name, const char *from)
{
    if (!from || read_safely(name, from, NAME_MAX - 1) != 0) {
        name[0] = '?';
        name[1] = 0;
        return;
    }
    name[NAME_MAX - 1] = 0;
}

/* The one of the threads there are that lies at this address: what was read may be no pointer any more. */
static const struct thread *thread_at(uintptr_t address)
{
    const struct thread *thread;

    for (thread = thread_next_in_report(NULL); thread; thread = thread_next_in_report(thread))
        if ((uintptr_t)thread == address)
            return thread;
    return NULL;
}

static int format_mutex(char *text, size_t size, const void *object)
{
    const struct thread *owner;
    struct mutex mutex;
    char name[NAME_MAX], taken_at[TEXT_MAX];

    if (read_safely(&mutex, object, sizeof(mutex)) != 0)
        return 0;
    read_name(name, mutex.name);
    owner = thread_at(mutex.owner & ~(uintptr_t)MUTEX_HAS_WAITERS);
    if (!owner)
        return snprintf(text, size, " '%s'", name);
    format_code_location(taken_at, sizeof(taken_at), (uint64_t)(uintptr_t)mutex.acquired_at, true);
    return snprintf(text, size, " '%s' of thread %u '%s', taken at %s", name, thread_number(owner), thread_name(owner),
                    taken_at);
}

/* Semaphores, completions and wait queues begin with their lock, which has their name. */
static int format_named(char *text, size_t size, const void *object)
{
    struct spinlock lock;
    char name[NAME_MAX];

    if (read_safely(&lock, object, sizeof(lock)) != 0)
        return 0;
    read_name(name, lock.name);
    return snprintf(text, size, " '%s'", name);
}

static void format_object(char *text, size_t size, const struct thread_info *info)
{
    int length = 0;

    if (info->wait == WAIT_MUTEX)
        length = format_mutex(text, size, info->wait_object);
    else if (info->wait == WAIT_SEMAPHORE || info->wait == WAIT_COMPLETION || info->wait == WAIT_QUEUE)
        length = format_named(text, size, info->wait_object);
    if (length == 0)
        text[0] = 0;
}

/* Not inlined: its frame is not there while the wait is shown. */
static NOINLINE void show_stack(const struct thread *thread)
{
    struct trap_frame frame = {.vector = TRAP_VECTOR_NONE, .cs = 0x08};
    struct backtrace_frame step;
    struct backtrace walk;
    char where[TEXT_MAX];
    unsigned nr_shown = 0;

    if (!thread_saved_frame(thread, &frame.rip, &frame.rbp))
        return;
    frame.rsp = frame.rbp;
    for (backtrace_begin(&walk, &frame); nr_shown < FRAMES_MAX && backtrace_next(&walk, &step); nr_shown++) {
        if (step.kind == BACKTRACE_EXCEPTION)
            snprintf(where, sizeof(where), "-- exception, in:");
        else
            format_code_location(where, sizeof(where), step.address, step.kind == BACKTRACE_RETURN);
        log_info("    %s", where);
    }
}

static void show_wait(const struct thread_info *info)
{
    uint64_t now = tsc_now_ns(), waited_ns = now > info->waiting_since_ns ? now - info->waiting_since_ns : 0;
    char object[2 * TEXT_MAX];

    format_object(object, sizeof(object), info);
    log_info("  thread %u '%s' waits for %s%s, %lu.%03lu s", info->number, info->name, thread_wait_name(info->wait),
             object, waited_ns / NS_PER_S, waited_ns % NS_PER_S / NS_PER_MS);
}

void sleeper_show(const struct thread *thread, const struct thread_info *info)
{
    if (info->state == THREAD_WAITING)
        show_wait(info);
    else
        log_info("  thread %u '%s' does not wait, CPU %u", info->number, info->name, info->cpu);
    show_stack(thread);
}

uintptr_t sleeper_waits_for(const struct thread_info *info)
{
    struct mutex mutex;

    if (info->wait == WAIT_JOIN)
        return (uintptr_t)info->wait_object;
    if (info->wait != WAIT_MUTEX || read_safely(&mutex, info->wait_object, sizeof(mutex)) != 0)
        return 0;
    return mutex.owner & ~(uintptr_t)MUTEX_HAS_WAITERS;
}

static void show_sleepers(void)
{
    const struct thread *thread;
    struct thread_info info;
    unsigned nr_sleepers = 0;

    for (thread = thread_next_in_report(NULL); thread; thread = thread_next_in_report(thread)) {
        thread_get_info(thread, &info);
        if (info.state != THREAD_WAITING || nr_sleepers++ >= SLEEPERS_MAX)
            continue;
        sleeper_show(thread, &info);
    }
    log_info("  %u threads wait%s", nr_sleepers, nr_sleepers > SLEEPERS_MAX ? "; not all are shown" : "");
}

SYSRQ(sleepers, .letter = 'w', .summary = "what each sleeping thread waits for", .run = show_sleepers);
