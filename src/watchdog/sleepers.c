/* One thread for a reader: what it waits for, which mutexes it has, and its stack. Where this is wanted the interrupted
 * code may hold any lock, and what is waited for may go while it is looked at, or be damaged: so no lock is taken, and
 * what is waited for is read as memory that may not be there. */
#include "sleepers.h"

#include <cpu/exception_table.h>
#include <cpu/tsc.h>
#include <debug/backtrace.h>
#include <lib/format.h>
#include <lib/string.h>
#include <sched/thread_locks.h>
#include <sync/mutex.h>
#include <sync/spinlock.h>
#include <time/clock.h>

#define FRAMES_MAX  12
#define MUTEXES_MAX 8 /* shown of one thread's */
#define NAME_MAX    48
#define LINE_MAX    256

bool sleeper_should_end(enum thread_wait wait)
{
    return wait == WAIT_MUTEX || wait == WAIT_RWLOCK || wait == WAIT_SEMAPHORE || wait == WAIT_COMPLETION ||
           wait == WAIT_ONCE || wait == WAIT_JOIN || wait == WAIT_BLOCK;
}

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

/* Each returns how much of the text it has written, like snprintf; 0 where there is nothing to say. */

static int format_thread(char *text, size_t size, const char *before, uintptr_t address)
{
    const struct thread *thread = thread_at(address);

    return thread ? snprintf(text, size, "%s thread %u '%s'", before, thread_number(thread), thread_name(thread)) : 0;
}

static int format_taken_at(char *text, size_t size, const void *where)
{
    int length = snprintf(text, size, " taken at ");

    format_code_location(text + length, size - (size_t)length, (uint64_t)(uintptr_t)where, true);
    return length + (int)strlen(text + length);
}

static int format_mutex(char *text, size_t size, const void *object)
{
    struct mutex mutex;
    char name[NAME_MAX];
    int length, owner;

    if (read_safely(&mutex, object, sizeof(mutex)) != 0)
        return 0;
    read_name(name, mutex.name);
    length = snprintf(text, size, " '%s'", name);
    owner = format_thread(text + length, size - (size_t)length, " of", mutex.owner & ~(uintptr_t)MUTEX_HAS_WAITERS);
    if (owner == 0)
        return length;
    length += owner;
    text[length++] = ',';
    return length + format_taken_at(text + length, size - (size_t)length, mutex.acquired_at);
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

static int format_object(char *text, size_t size, const struct thread_info *info)
{
    int length = 0;

    if (info->wait == WAIT_MUTEX)
        length = format_mutex(text, size, info->wait_object);
    else if (info->wait == WAIT_SEMAPHORE || info->wait == WAIT_COMPLETION || info->wait == WAIT_QUEUE)
        length = format_named(text, size, info->wait_object);
    else if (info->wait == WAIT_JOIN)
        length = format_thread(text, size, " of", (uintptr_t)info->wait_object);
    if (length == 0 && info->wait_object)
        length = snprintf(text, size, " %p", info->wait_object);
    return length;
}

static void describe_wait(const struct thread_info *info, void (*write)(const char *line))
{
    uint64_t now = tsc_now_ns(), waited_ns = now > info->waiting_since_ns ? now - info->waiting_since_ns : 0;
    char line[LINE_MAX];
    size_t length, end = sizeof(line) - 32; /* room for the time */

    length = (size_t)snprintf(line, end, "thread %u '%s' waits for %s", info->number, info->name,
                              thread_wait_name(info->wait));
    length += (size_t)format_object(line + length, end - length, info);
    snprintf(line + length, sizeof(line) - length, ", %lu.%03lu s", waited_ns / NS_PER_S,
             waited_ns % NS_PER_S / NS_PER_MS);
    write(line);
}

static const struct mutex *last_taken(const struct thread *thread)
{
    return READ_ONCE(((const struct thread_locks *)(const void *)thread)->held);
}

bool sleeper_has_mutexes(const struct thread *thread)
{
    return last_taken(thread) != NULL;
}

/* A mutex whose owner is another ends the list: it was given back meanwhile, or is damaged. */
static void describe_mutexes(const struct thread *thread, void (*write)(const char *line))
{
    const struct mutex *at = last_taken(thread);
    char line[LINE_MAX], name[NAME_MAX];
    struct mutex mutex;

    for (unsigned n = 0; at; at = mutex.held_below, n++) {
        int length;

        if (n == MUTEXES_MAX) {
            write("  has more");
            return;
        }
        if (read_safely(&mutex, at, sizeof(mutex)) != 0 ||
            (mutex.owner & ~(uintptr_t)MUTEX_HAS_WAITERS) != (uintptr_t)thread)
            return;
        read_name(name, mutex.name);
        length = snprintf(line, sizeof(line), "  has '%s'", name);
        format_taken_at(line + length, sizeof(line) - (size_t)length, mutex.acquired_at);
        write(line);
    }
}

void sleeper_describe(const struct thread *thread, const struct thread_info *info, void (*write)(const char *line))
{
    static const char *const words[] = {
        [THREAD_RUNNING] = "runs", [THREAD_RUNNABLE] = "does not wait", [THREAD_DEAD] = "has ended"};
    char line[LINE_MAX];

    if (info->state == THREAD_WAITING)
        describe_wait(info, write);
    else {
        snprintf(line, sizeof(line), "thread %u '%s' %s, CPU %u", info->number, info->name, words[info->state],
                 info->cpu);
        write(line);
    }
    describe_mutexes(thread, write);
}

/* Not inlined: its frame is not there while the wait is shown. */
NOINLINE void sleeper_describe_stack(const struct thread *thread, void (*write)(const char *line))
{
    struct trap_frame frame = {.vector = TRAP_VECTOR_NONE, .cs = 0x08};
    struct backtrace_frame step;
    struct backtrace walk;
    char line[LINE_MAX] = "  ";
    unsigned nr_shown = 0;

    if (!thread_saved_frame(thread, &frame.rip, &frame.rbp))
        return;
    frame.rsp = frame.rbp;
    for (backtrace_begin(&walk, &frame); nr_shown < FRAMES_MAX && backtrace_next(&walk, &step); nr_shown++) {
        if (step.kind == BACKTRACE_EXCEPTION)
            snprintf(line + 2, sizeof(line) - 2, "-- exception, in:");
        else
            format_code_location(line + 2, sizeof(line) - 2, step.address, step.kind == BACKTRACE_RETURN);
        write(line);
    }
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
