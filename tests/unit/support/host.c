/* Stands in, on the host, for what the kernel sources under test call: assertions and panics jump back to the test that
 * expects them, and end the program otherwise. Log lines go to standard error when UNIT_LOG is set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <base/assert.h>
#include <cpu/percpu.h>
#include <cpu/preempt.h>
#include <debug/backtrace.h>
#include <debug/log.h>
#include <debug/panic.h>
#include <irq/deferred.h>
#include <lib/list.h>
#include <sync/refcount.h>
#include <sync/rwlock.h>
#include <sync/spinlock.h>
#include <time/timer.h>

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

__attribute__((weak)) void spinlock_recursion(const struct spinlock *lock, const void *first_taken_at,
                                              const void *taken_again_at)
{
    (void)first_taken_at, (void)taken_again_at;
    panic("lock '%s' taken twice", lock->name);
}

__attribute__((weak)) void spinlock_not_held(const struct spinlock *lock)
{
    panic("lock '%s' given back but not held", lock->name);
}

__attribute__((weak)) void preempt_reschedule_(void)
{
}

__attribute__((weak)) void allocation_is_forbidden(const char *function)
{
    panic("%s: allocation where it is forbidden", function);
}

__attribute__((weak)) void sleep_is_forbidden(const char *function)
{
    panic("%s: sleeping where it is forbidden", function);
}

__attribute__((weak)) void rwlock_recursion(const struct rwlock *lock, const void *first_taken_at,
                                            const void *taken_again_at)
{
    (void)first_taken_at, (void)taken_again_at;
    panic("lock '%s' taken twice", lock->name);
}

__attribute__((weak)) void rwlock_not_held(const struct rwlock *lock)
{
    panic("lock '%s' given back but not held", lock->name);
}

__attribute__((weak)) void refcount_report(const struct refcount *count, enum refcount_misuse misuse, const void *where)
{
    (void)where;
    panic("reference count %d misused (%d)", count->value, misuse);
}

__attribute__((weak)) void warn(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(unit_last_words, sizeof(unit_last_words), format, arguments);
    va_end(arguments);
}

__attribute__((weak)) void format_code_location(char *buffer, size_t size, uint64_t address, bool is_return_address)
{
    (void)is_return_address;
    snprintf(buffer, size, "0x%lx", (unsigned long)address);
}

/* Who waits on the host is woken: there are no timers to poll. */
__attribute__((weak)) bool timer_will_interrupt(void)
{
    return true;
}

__attribute__((weak)) void timer_poll(void)
{
}

__attribute__((weak)) void deferred_run(void)
{
}
