/* Logging from an interrupt while its own CPU is logging: nothing hangs and nothing is lost, wherever the interrupt
 * comes.
 *
 * The interrupt is the single-step trap, so it can be had at any instruction of log_write, of the ring, of the consoles
 * and of their drivers; or a software interrupt from inside a driver's write. */
#include <debug/test.h>

#include <base/errno.h>
#include <cpu/preempt.h>
#include <cpu/trap_frame.h>
#include <debug/console.h>
#include <debug/log.h>
#include <irq/chip.h>
#include <lib/format.h>
#include <lib/string.h>
#include <time/clock.h>
#include <trap/trap.h>

#include "single_step.h"

#define NESTED_MAX      8
#define SOFTWARE_VECTOR 0x2f /* one of those that the 8259s were moved to, and nobody has */

/* A console that counts the lines of the run under test. It stays registered, silent between tests. */
static struct {
    char tag[16];
    unsigned outer, printed, nested[NESTED_MAX];
    unsigned last_nested;
    bool is_out_of_order;
    bool raises_interrupt; /* from inside write, once */
} seen;

static unsigned run_number;
static enum log_level level_before; /* the tests log at info, whatever the command line says */

static const char *after(const char *line, const char *wanted)
{
    const char *found = strstr(line, wanted);

    return found ? found + strlen(wanted) : NULL;
}

static void count_nested(unsigned number)
{
    if (number >= NESTED_MAX)
        return;
    seen.is_out_of_order |= number != seen.last_nested++;
    seen.nested[number]++;
}

static void capture_write(struct console *console, const char *bytes, size_t length)
{
    char line[LOG_TEXT_MAX + 64];
    const char *at;

    (void)console;
    if (seen.raises_interrupt) {
        seen.raises_interrupt = false;
        __asm__ volatile("int %0" : : "i"(SOFTWARE_VECTOR) : "memory");
    }
    strlcpy(line, bytes, length < sizeof(line) ? length + 1 : sizeof(line));
    at = after(line, seen.tag);
    if (!at || !*seen.tag)
        return;
    seen.outer += strncmp(at, "outer", 5) == 0;
    seen.printed += strncmp(at, "printed", 7) == 0;
    if (strncmp(at, "nested ", 7) == 0)
        count_nested((unsigned)(at[7] - '0'));
}

static struct console capture = {.name = "test", .write = capture_write};

static void capture_begin(void)
{
    static bool is_registered;

    memset(&seen, 0, sizeof(seen));
    snprintf(seen.tag, sizeof(seen.tag), "log test %u: ", run_number++ % 1000);
    capture.is_prompt_only = capture.is_silent = false;
    level_before = log_set_console_level(LOG_INFO);
    if (!is_registered)
        console_register(&capture);
    is_registered = true;
}

static void capture_end(void)
{
    capture.is_prompt_only = capture.is_silent = true;
    log_set_console_level(level_before);
}

static unsigned steps, step_interval, nr_nested;

/* Code that saves the flags and restores them sets the flag again: so it is cleared at every step from the last on. */
static bool on_step(struct trap_frame *frame)
{
    if (nr_nested < NESTED_MAX && ++steps % step_interval == 0)
        log_info("%snested %u", seen.tag, nr_nested++);
    if (nr_nested == NESTED_MAX)
        frame->rflags &= ~(uint64_t)RFLAGS_TF;
    return true;
}

/* Logs and prints with the trap on, a nested record every interval instructions. */
static void log_stepped(unsigned interval)
{
    steps = nr_nested = 0;
    step_interval = interval;
    set_trap_flag();
    log_info("%souter", seen.tag);
    console_printf("%sprinted\n", seen.tag);
    clear_trap_flag();
}

KERNEL_TEST(log_single_step, "log/interrupted_at_any_instruction")
{
    static const unsigned intervals[] = {1, 2, 7, 31, 97, 211, 463, 997, 2003, 4001};
    unsigned dense = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(intervals); i++) {
        EXPECT_EQ(trap_set_exception_handler(VECTOR_DEBUG, on_step), 0);
        capture_begin();
        log_stepped(intervals[i]);
        capture_end();
        EXPECT_EQ(trap_set_exception_handler(VECTOR_DEBUG, NULL), 0);
        EXPECT_EQ(seen.outer, 1);
        EXPECT_EQ(seen.printed, 1);
        for (unsigned n = 0; n < nr_nested; n++)
            EXPECT_EQ(seen.nested[n], 1);
        EXPECT(!seen.is_out_of_order);
        dense += nr_nested == NESTED_MAX;
    }
    EXPECT(dense >= 8); /* the trap did come */
}

static struct log_record newest;            /* [prompt] */
static uint64_t first_stepped;              /* [prompt] */
static bool has_seen_newest, has_seen_open; /* [prompt] */

/* Another CPU's record is completed while this one waits, the stepped thread's is not. */
static bool is_newest_open(void)
{
    uint64_t sequence = log_next_sequence() - 1, oldest, end_ns = clock_now_ns() + NS_PER_S;
    int error;

    do
        error = log_read(sequence, &newest, &oldest);
    while (error == -EAGAIN && clock_now_ns() < end_ns);
    return error == -EAGAIN;
}

/* Looks once, where the thread can be preempted first after it has begun. */
static bool on_step_of_thread(struct trap_frame *frame)
{
    if (log_next_sequence() == first_stepped || !(frame->rflags & RFLAGS_IF) || preempt_depth() != 0)
        return true;
    if (!has_seen_newest)
        has_seen_open = is_newest_open();
    has_seen_newest = true;
    frame->rflags &= ~(uint64_t)RFLAGS_TF;
    return true;
}

/* Or no console would show what comes behind it before that thread has its CPU back. */
KERNEL_TEST(log_preempted, "log/a_thread_is_not_preempted_within_a_record")
{
    has_seen_newest = has_seen_open = false;
    first_stepped = log_next_sequence();
    EXPECT_EQ(trap_set_exception_handler(VECTOR_DEBUG, on_step_of_thread), 0);
    set_trap_flag();
    log_debug("log test: stepped");
    clear_trap_flag();
    EXPECT_EQ(trap_set_exception_handler(VECTOR_DEBUG, NULL), 0);
    EXPECT(has_seen_newest);
    EXPECT(!has_seen_open);
}

static void on_software_interrupt(struct trap_frame *frame)
{
    (void)frame;
    for (unsigned i = 0; i < 3; i++)
        log_info("%snested %u", seen.tag, i);
    console_printf("%sprinted by an interrupt\n", seen.tag);
}

/* Its vector is nobody's: another CPU that was sent it meanwhile would log the same. */
KERNEL_TEST(log_in_driver, "log/interrupted_in_a_driver")
{
    char name[IRQ_NAME_MAX];

    EXPECT(!irq_vector_name(SOFTWARE_VECTOR, name));
    EXPECT_EQ(trap_set_handler(SOFTWARE_VECTOR, on_software_interrupt), 0);
    capture_begin();
    seen.raises_interrupt = true;
    log_info("%souter", seen.tag);
    capture_end();
    EXPECT_EQ(trap_set_handler(SOFTWARE_VECTOR, NULL), 0);
    EXPECT(!seen.raises_interrupt);
    EXPECT_EQ(seen.outer, 1);
    for (unsigned i = 0; i < 3; i++)
        EXPECT_EQ(seen.nested[i], 1);
    EXPECT_EQ(seen.printed, 1);
    EXPECT(!seen.is_out_of_order);
}

/* The reader's view: numbers without a hole, the newest one last, one not yet written. */
KERNEL_TEST(log_read_back, "log/read_back")
{
    uint64_t first = log_next_sequence(), oldest;
    struct log_record record;

    for (unsigned i = 0; i < 5; i++)
        log_debug("read back %u", i);
    for (unsigned i = 0; i < 5; i++) {
        char expected[24];

        snprintf(expected, sizeof(expected), "read back %u", i);
        EXPECT_EQ(log_read(first + i, &record, &oldest), 0);
        EXPECT_EQ(record.sequence, first + i);
        EXPECT_EQ(record.level, LOG_DEBUG);
        EXPECT(strcmp(record.text, expected) == 0);
    }
    EXPECT_EQ(log_read(log_next_sequence(), &record, &oldest), (uint64_t)-EAGAIN);
}
