/* The ways in which the kernel itself finds that it cannot go on. Each captures its caller's registers. */
#include <debug/panic.h>

#include <base/assert.h>
#include <cpu/percpu.h>
#include <cpu/registers.h>
#include <debug/backtrace.h>
#include <debug/log.h>
#include <debug/report.h>
#include <lib/format.h>
#include <lib/list.h>
#include <lib/string.h>
#include <sync/spinlock.h>

#define MESSAGE_MAX 400

NORETURN void __stack_chk_fail(void);

/* RIP becomes the return address of the function that gave up, RBP and RSP its caller's. */
static void make_callers_frame(struct trap_frame *frame, const void *return_address, const uint64_t *frame_address)
{
    frame->rip = (uint64_t)(uintptr_t)return_address;
    frame->rbp = frame_address[0];
    frame->rsp = (uint64_t)(uintptr_t)(frame_address + 2);
}

#define CAPTURE_CALLER(frame)                                                               \
    do {                                                                                    \
        capture_registers(frame);                                                           \
        make_callers_frame(frame, __builtin_return_address(0), __builtin_frame_address(0)); \
    } while (0)

static NORETURN void end(const struct trap_frame *frame, const char *words)
{
    report_fatal(&(struct report){.frame = frame, .cr2 = read_cr2(), .class_words = words});
}

void panic(const char *format, ...)
{
    struct trap_frame frame;
    char words[MESSAGE_MAX];
    va_list arguments;

    CAPTURE_CALLER(&frame);
    va_start(arguments, format);
    vsnprintf(words, sizeof(words), format, arguments);
    va_end(arguments);
    end(&frame, words);
}

void assert_fail(const char *expression, const char *file, int line, const char *function)
{
    struct trap_frame frame;
    char words[MESSAGE_MAX];

    CAPTURE_CALLER(&frame);
    snprintf(words, sizeof(words), "assertion failed: %s, in %s (%s:%d)", expression, function, file, line);
    end(&frame, words);
}

void list_corrupted(const struct list *node, const struct list *neighbour, const struct list *found,
                    const char *operation)
{
    struct trap_frame frame;
    char words[MESSAGE_MAX];

    CAPTURE_CALLER(&frame);
    snprintf(words, sizeof(words), "list corruption: %s: node %p, neighbour %p, found %p", operation,
             (const void *)node, (const void *)neighbour, (const void *)found);
    end(&frame, words);
}

void spinlock_not_held(const struct spinlock *lock)
{
    panic("lock '%s' given back by a CPU that does not hold it", lock->name);
}

void spinlock_recursion(const struct spinlock *lock, const void *first_taken_at, const void *taken_again_at)
{
    char first[120], again[120], words[320];
    struct trap_frame frame;

    CAPTURE_CALLER(&frame);
    format_code_location(first, sizeof(first), (uint64_t)(uintptr_t)first_taken_at, true);
    format_code_location(again, sizeof(again), (uint64_t)(uintptr_t)taken_again_at, true);
    snprintf(words, sizeof(words), "lock recursion: '%s' taken at %s, again at %s", lock->name, first, again);
    end(&frame, words);
}

/* Called by the compiler's code at the end of a function whose canary has changed. That function's own saved frame
 * pointer and return address may be spoilt: the backtrace says so. */
void __stack_chk_fail(void)
{
    struct trap_frame frame;

    CAPTURE_CALLER(&frame);
    end(&frame, "stack smashed: a function wrote past its local variables");
}

void warn(const char *format, ...)
{
    struct trap_frame frame;
    char words[MESSAGE_MAX] = "warning: ";
    size_t prefix = strlen(words);
    va_list arguments;

    CAPTURE_CALLER(&frame);
    va_start(arguments, format);
    vsnprintf(words + prefix, sizeof(words) - prefix, format, arguments);
    va_end(arguments);
    report_notice(&(struct report){.frame = &frame, .cr2 = read_cr2(), .class_words = words});
}
