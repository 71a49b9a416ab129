/* Stands in, on the host, for what the kernel sources under test call: assertions and panics jump back to the test that
 * expects them, and end the program otherwise. Log lines go to standard error when UNIT_LOG is set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <base/assert.h>
#include <cpu/percpu.h>
#include <debug/log.h>
#include <debug/panic.h>
#include <lib/list.h>
#include <sync/spinlock.h>

jmp_buf *unit_catch;
char unit_last_words[512];
PERCPU_STORAGE struct percpu percpu;

static NORETURN void end(void)
{
    jmp_buf *jump = unit_catch;

    if (jump) {
        unit_catch = NULL;
        longjmp(*jump, 1);
    }
    fprintf(stderr, "%s\n", unit_last_words);
    abort();
}

__attribute__((weak)) void assert_fail(const char *expression, const char *file, int line, const char *function)
{
    snprintf(unit_last_words, sizeof(unit_last_words), "%s:%d: %s: assertion failed: %s", file, line, function,
             expression);
    end();
}

__attribute__((weak)) void list_corrupted(const struct list *node, const struct list *neighbour,
                                          const struct list *found, const char *operation)
{
    snprintf(unit_last_words, sizeof(unit_last_words), "list corrupted: %s: node %p, neighbour %p, found %p", operation,
             (const void *)node, (const void *)neighbour, (const void *)found);
    end();
}

__attribute__((weak)) void panic(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(unit_last_words, sizeof(unit_last_words), format, arguments);
    va_end(arguments);
    end();
}

__attribute__((weak)) void log_write(enum log_level level, const char *format, ...)
{
    va_list arguments;

    (void)level;
    if (!getenv("UNIT_LOG"))
        return;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

/* Locks: one thread, so only taking one twice or giving back one not held can go wrong. sync/spinlock.c replaces these
 * where a test links it. */
__attribute__((weak)) void spinlock_init(struct spinlock *lock, const char *name)
{
    *lock = (struct spinlock)SPINLOCK_INITIALIZER(name);
}

__attribute__((weak)) void spinlock_lock(struct spinlock *lock)
{
    if (lock->holder != 0)
        panic("lock '%s' taken twice", lock->name);
    lock->holder = 1;
}

__attribute__((weak)) void spinlock_unlock(struct spinlock *lock)
{
    if (lock->holder != 1)
        panic("lock '%s' given back but not held", lock->name);
    lock->holder = 0;
}

__attribute__((weak)) bool spinlock_try_lock(struct spinlock *lock)
{
    if (lock->holder != 0)
        return false;
    lock->holder = 1;
    return true;
}

__attribute__((weak)) uint64_t spinlock_lock_irqsave(struct spinlock *lock)
{
    spinlock_lock(lock);
    return 0;
}

__attribute__((weak)) void spinlock_unlock_irqrestore(struct spinlock *lock, uint64_t flags)
{
    (void)flags;
    spinlock_unlock(lock);
}

__attribute__((weak)) bool spinlock_is_held(const struct spinlock *lock)
{
    return lock->holder == 1;
}

__attribute__((weak)) void assert_held(const struct spinlock *lock)
{
    if (!spinlock_is_held(lock))
        panic("lock '%s' is not held", lock->name);
}
