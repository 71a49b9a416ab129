/* Consoles: the log drained to each of them, prompt output between the log's lines, and typed bytes.
 *
 * The console lock is a word with its owner's number. Nobody who writes a log record ever waits for it:
 *
 * C1  console_flush tries the lock. Whoever fails leaves its record to the holder: a holder looks for records again
 *     after it has let the lock go (hand-off). No record is left behind:
 *
 *         writer:  record complete ; fence ; swap of the lock, which fails
 *         holder:  lock := 0       ; fence ; looks whether a record is complete
 *
 *     The fences (sequentially consistent, both in has_undrained) forbid that the swap misses lock := 0 while the
 *     holder misses the record. A swap that failed against a later holder is answered by that one in the same way.
 *     This holds when the writer is an interrupt or NMI on the holder's own CPU as well: it returns at once.
 *
 * C2  Prompt output has to wait (it is no record). It announces itself in nr_waiting, and a holder that sees it stops
 *     draining after the record in hand, so that nobody waits for long, however much the others log. What is left is
 *     the waiter's: it counts itself out only after it has taken the lock, and then drains and looks again as in C1.
 *     So a writer that sees somebody waiting may leave as well (record complete ; fence ; nr_waiting read, against
 *     nr_waiting decreased ; ... ; fence ; record looked for). Who is counted keeps its CPU, or all would leave their
 *     records to a thread that does not run: where another is to run there, it counts itself out until it is back.
 *
 * C3  Waiting on one's own CPU would never end: an interrupt that finds its CPU to be the owner logs its output
 *     instead. The holder cannot be preempted (preempt_disable), so the owner's CPU is the owner's context or one
 *     above it.
 *
 * C4  In a panic the other CPUs are stopped and there is no lock: the holder may be one of them, or the context
 *     underneath. One that has not stopped, in an NMI for instance, writes nothing any more. Positions advance before a
 *     record is written, so that a fault in a driver does not bring the same record again. What is in hand under the
 *     lock (record, line) may be overwritten then: the context underneath never goes on.
 *
 * tests/models/console_hand_off.pml is checked for C1 to C3. */
#include <debug/console.h>

#include <base/assert.h>
#include <base/errno.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <cpu/preempt.h>
#include <debug/log.h>
#include <lib/format.h>
#include <lib/string.h>

#include "log_internal.h"
#include "open_line.h"

#define CONSOLE_LINE_MAX \
    (LOG_TEXT_MAX + 64) /* a record's line with time stamp and colours, without continuation lines */
#define PRINTF_MAX 4096

static uint32_t lock_owner; /* [a] CPU number + 1; 0 when free */
static uint32_t nr_waiting; /* [a] contexts that wait for the lock */
static uint32_t panic_cpu;  /* [a] CPU number + 1 of the one that writes the last report; 0 before */
static uint64_t drained;    /* [a] every record below is on every console; written by the lock's holder */
static enum log_level shown_level = LOG_INFO;              /* [a] */
static bool has_escapes = true, has_colours = true;        /* [a] settings of the terminals */
static uint32_t input_is_taken;                            /* [a] */
static struct console *consoles;                           /* [console lock]; readers follow the list without it */
static struct console *inputs;                             /* [console lock]; as consoles: those that only read */
static uint64_t dropped_told;                              /* [console lock] */
static struct open_line open_line = OPEN_LINE_INITIALIZER; /* [console lock] */
static char printf_buffer[PRINTF_MAX];                     /* [console lock] */
static struct log_record record_in_hand;                   /* [console lock] off the stacks: an interrupt may drain */
static char line_in_hand[CONSOLE_LINE_MAX];                /* [console lock] */

/* The lock. */

/* Set once, with the other CPUs stopped if they can be. */
static bool in_panic(void)
{
    return __atomic_load_n(&panic_cpu, __ATOMIC_RELAXED) != 0;
}

static uint32_t owner_here(void)
{
    return this_cpu_read(percpu.cpu_number) + 1;
}

/* Another CPU panics, and this one goes on (C4). */
static bool is_silenced(void)
{
    uint32_t cpu = __atomic_load_n(&panic_cpu, __ATOMIC_RELAXED); /* a thread never moves there, or from there */

    return UNLIKELY(cpu != 0) && cpu != owner_here();
}

static bool try_lock(void)
{
    uint32_t expected = 0;

    preempt_disable();
    /* Acquire, pairs with the release in unlock. */
    if (__atomic_compare_exchange_n(&lock_owner, &expected, owner_here(), false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return true;
    preempt_enable();
    return false;
}

static void unlock(void)
{
    __atomic_store_n(&lock_owner, 0, __ATOMIC_RELEASE); /* pairs with the acquire in try_lock */
    preempt_enable();
}

/* Read and compared on one CPU: who is moved in between would take another thread's lock for its own CPU's. */
static bool is_owned_here(void)
{
    bool result;

    preempt_disable();
    result = __atomic_load_n(&lock_owner, __ATOMIC_RELAXED) == owner_here();
    preempt_enable();
    return result;
}

/* Another thread waits for this CPU, and would get it at unlock: the records that are left come when this one is back,
 * or are another drainer's. A line is slow, and there may be many. */
static bool must_make_way(void)
{
    return preempt_is_requested() && preempt_depth() == 1 && irqs_are_enabled() &&
           this_cpu_read(percpu.is_interrupted) == 0 && !in_panic();
}

static void count_in(void)
{
    preempt_disable();
    __atomic_fetch_add(&nr_waiting, 1, __ATOMIC_RELAXED); /* a hint (C2): orders nothing */
}

static void count_out(void)
{
    __atomic_fetch_sub(&nr_waiting, 1, __ATOMIC_RELAXED);
    preempt_enable();
}

/* Another thread gets this CPU. What was left to this one is shown by the next who logs, or by this one when it is
 * back. */
static void make_way(void)
{
    count_out();
    count_in();
}

/* Returns 0, or -EBUSY when this CPU is the owner (C3), or is to be silent (C4). */
static int wait_lock(void)
{
    int result = 0;

    count_in();
    while (result == 0 && !in_panic() && !try_lock()) {
        if (is_owned_here())
            result = -EBUSY;
        else if (must_make_way())
            make_way();
        cpu_relax();
    }
    count_out();
    return is_silenced() ? -EBUSY : result;
}

/* Writing. */

/* The bytes that are in a buffer after snprintf. */
static size_t clip(int length, size_t size)
{
    return length < 0 || (size_t)length >= size ? size - 1 : (size_t)length;
}

static void write_text(struct console *console, const char *text)
{
    console->write(console, text, strlen(text));
}

static void write_piece(void *console, const char *bytes, size_t length)
{
    ((struct console *)console)->write(console, bytes, length);
}

/* Not inlined: the proof of the stacks wants to see that this happens once on each (tools/stacks/rules.txt). */
static NOINLINE void flush_all(void)
{
    for (struct console *console = consoles; console; console = console->next) {
        if (console->flush)
            console->flush(console);
    }
}

static const char *level_colour(enum log_level level)
{
    switch (level) {
    case LOG_ERROR:
        return "\033[1;31m";
    case LOG_WARN:
        return "\033[33m";
    case LOG_DEBUG:
        return "\033[90m";
    default:
        return "";
    }
}

/* One line of a record, the record's further lines indented below the first. */
static void write_line(struct console *console, const struct log_record *record, const char *text, size_t length,
                       bool is_first)
{
    const char *colour = console->is_log_only || !has_colours ? "" : level_colour(record->level);
    int written;

    if (is_first)
        written = snprintf(line_in_hand, sizeof(line_in_hand), "[%5lu.%06lu] %s%.*s%s\n", record->time_ns / 1000000000,
                           record->time_ns / 1000 % 1000000, colour, (int)length, text, *colour ? "\033[0m" : "");
    else
        written = snprintf(line_in_hand, sizeof(line_in_hand), "%15s%s%.*s%s\n", "", colour, (int)length, text,
                           *colour ? "\033[0m" : "");
    console->write(console, line_in_hand, clip(written, sizeof(line_in_hand)));
}

static void write_record(struct console *console, const struct log_record *record)
{
    const char *text = record->text, *newline;

    while ((newline = strchr(text, '\n')) != NULL) {
        write_line(console, record, text, (size_t)(newline - text), text == record->text);
        text = newline + 1;
    }
    write_line(console, record, text, strlen(text), text == record->text);
}

static void write_count(struct console *console, uint64_t count, const char *what)
{
    char line[96];

    write_piece(console, line, (size_t)snprintf(line, sizeof(line), "[log: %lu %s]\n", count, what));
}

static bool is_shown(const struct console *console, const struct log_record *record)
{
    return in_panic() || (record->level <= __atomic_load_n(&shown_level, __ATOMIC_RELAXED) && !console->is_prompt_only);
}

/* The open line of prompt output, out of the way of log lines and back. */
static void hide_open_line(struct console *console, bool *is_hidden)
{
    if (*is_hidden || console->is_log_only || !open_line_is_open(&open_line))
        return;
    write_text(console, open_line_hide(&open_line, has_escapes));
    *is_hidden = true;
}

/* Writes the record at the console's position. False when there is none that can be read. */
static bool drain_one(struct console *console, bool *is_hidden)
{
    uint64_t sequence = console->log_position, oldest = 0;
    int error;

    if (is_silenced())
        return false;
    error = log_read(sequence, &record_in_hand, &oldest);
    if (error == -ENOENT) {
        console->log_position = oldest;
        hide_open_line(console, is_hidden);
        write_count(console, oldest - sequence, "records were overwritten before this console showed them");
        return true;
    }
    if (error != 0) {
        /* Its writer is at work and will flush. After a panic it may be stopped for ever: go on without it. */
        if (!in_panic() || sequence >= log_next_sequence())
            return false;
        console->log_position = sequence + 1;
        return true;
    }
    console->log_position = sequence + 1;
    if (is_shown(console, &record_in_hand)) {
        hide_open_line(console, is_hidden);
        write_record(console, &record_in_hand);
    }
    return true;
}

static bool somebody_waits(void)
{
    return __atomic_load_n(&nr_waiting, __ATOMIC_RELAXED) > 0 && !in_panic();
}

/* At least one record where there is one, so that who makes way gets on. */
static void drain_console(struct console *console, uint64_t at_least)
{
    bool is_hidden = false;

    while (drain_one(console, &is_hidden) &&
           (console->log_position < at_least || !(somebody_waits() || must_make_way())))
        ;
    if (is_hidden && !is_silenced())
        open_line_show(&open_line, has_escapes, write_piece, console);
}

static void tell_dropped(void)
{
    uint64_t dropped = log_dropped();

    if (dropped == dropped_told)
        return;
    for (struct console *console = consoles; console; console = console->next) {
        bool is_hidden = false;
        if (console->is_prompt_only)
            continue;
        hide_open_line(console, &is_hidden);
        write_count(console, dropped - dropped_told, "records were dropped: their slots' writers did not finish");
        if (is_hidden)
            open_line_show(&open_line, has_escapes, write_piece, console);
    }
    dropped_told = dropped;
}

/* Brings every console up to date: up to the record at_least, and further as long as nobody waits (C2). The holder of
 * the lock, or a panic, in which no lock keeps a console's own complaint from coming here again: false, who drains
 * shows it. */
static bool drain(uint64_t at_least)
{
    static bool is_draining_in_panic; /* [report] the CPU that writes the last one */
    uint64_t lowest = UINT64_MAX;

    if (is_draining_in_panic)
        return false;
    is_draining_in_panic = in_panic();
    tell_dropped();
    for (struct console *console = consoles; console; console = console->next) {
        drain_console(console, at_least);
        if (console->log_position < lowest)
            lowest = console->log_position;
    }
    /* Relaxed: it is read again after the lock has been let go, by the same context (C1). */
    __atomic_store_n(&drained, lowest, __ATOMIC_RELAXED);
    is_draining_in_panic = false;
    return true;
}

static bool has_undrained(void)
{
    uint64_t position;

    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* C1: pairs with itself on the other side */
    position = __atomic_load_n(&drained, __ATOMIC_RELAXED);
    return position != UINT64_MAX && log_is_complete(position);
}

void console_flush(void)
{
    if (in_panic()) {
        if (!is_silenced() && drain(UINT64_MAX))
            flush_all();
        return;
    }
    while (has_undrained()) {
        if (somebody_waits() || is_silenced() || !try_lock())
            return; /* C2, C4, C1 */
        drain(0);
        flush_all();
        unlock();
    }
}

/* The end of every other time the lock is held. */
static void unlock_and_flush(void)
{
    flush_all();
    if (in_panic())
        return;
    unlock();
    console_flush();
}

/* Prompt output. */

/* An interrupt's output on the CPU that holds the lock (C3): line by line into the log. */
static void log_output(const char *bytes, size_t length)
{
    while (length > 0) {
        size_t line = 0;

        while (line < length && line < LOG_TEXT_MAX - 1 && bytes[line] != '\n')
            line++;
        log_write(LOG_INFO, "%.*s", (int)line, bytes);
        line += line < length && bytes[line] == '\n';
        bytes += line;
        length -= line;
    }
}

static void write_output(const char *bytes, size_t length)
{
    drain(log_next_sequence()); /* the caller's own log lines come before its output */
    for (struct console *console = consoles; console; console = console->next) {
        if ((!console->is_log_only && !console->is_silent) || in_panic())
            console->write(console, bytes, length);
    }
    open_line_write(&open_line, bytes, length);
}

void console_write(const char *bytes, size_t length)
{
    if (wait_lock() != 0) {
        log_output(bytes, length);
        return;
    }
    write_output(bytes, length);
    unlock_and_flush();
}

/* For what does not fit on the stack. */
static void print_long(const char *format, va_list arguments)
{
    if (wait_lock() != 0) {
        char text[LOG_TEXT_MAX];
        log_output(text, clip(vsnprintf(text, sizeof(text), format, arguments), sizeof(text)));
        return;
    }
    write_output(printf_buffer, clip(vsnprintf(printf_buffer, PRINTF_MAX, format, arguments), PRINTF_MAX));
    unlock_and_flush();
}

void console_printf(const char *format, ...)
{
    char text[256];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (length >= 0 && (size_t)length < sizeof(text)) {
        console_write(text, (size_t)length);
        return;
    }
    va_start(arguments, format);
    print_long(format, arguments);
    va_end(arguments);
}

/* Registration, panic, input. */

void console_register(struct console *console)
{
    struct console **link = console->write ? &consoles : &inputs;
    int error = wait_lock();

    ASSERT(error == 0); /* not from an interrupt */
    ASSERT((console->write || console->read) && !(console->is_log_only && console->is_prompt_only));
    console->next = NULL;
    console->log_position = 0;
    while (*link)
        link = &(*link)->next;
    /* Release, pairs with the acquire loads in console_try_read. */
    __atomic_store_n(link, console, __ATOMIC_RELEASE);
    drain(UINT64_MAX);
    unlock_and_flush();
}

bool console_is_registered(void)
{
    return __atomic_load_n(&consoles, __ATOMIC_ACQUIRE) != NULL; /* pairs with the release in console_register */
}

void console_enter_panic(void)
{
    bool was_locked = __atomic_load_n(&lock_owner, __ATOMIC_RELAXED) != 0;

    log_enter_panic();
    __atomic_store_n(&panic_cpu, owner_here(), __ATOMIC_SEQ_CST); /* this CPU sees it at once */
    /* The report begins on a line of its own: behind an open line, or in the middle of one that was being written. */
    for (struct console *console = consoles; console; console = console->next) {
        if (was_locked || (!console->is_log_only && open_line_is_open(&open_line)))
            write_text(console, has_escapes ? "\033[0m\n" : "\n");
    }
    open_line = (struct open_line)OPEN_LINE_INITIALIZER;
    console_flush();
}

enum log_level log_set_console_level(enum log_level level)
{
    return __atomic_exchange_n(&shown_level, level, __ATOMIC_RELAXED); /* a setting: orders nothing */
}

void console_set_terminal(bool understands_escapes, bool wants_colours)
{
    has_escapes = understands_escapes;
    has_colours = understands_escapes && wants_colours;
}

static void (*input_waker)(void); /* [a] */

void console_set_input_waker(void (*wake)(void))
{
    __atomic_store_n(&input_waker, wake, __ATOMIC_RELEASE); /* pairs with the acquire below */
}

void console_input_arrived(void)
{
    void (*wake)(void) = __atomic_load_n(&input_waker, __ATOMIC_ACQUIRE);

    if (wake)
        wake();
}

static bool all_wake(struct console *const *list)
{
    for (const struct console *console = __atomic_load_n(list, __ATOMIC_ACQUIRE); console;
         console = __atomic_load_n(&console->next, __ATOMIC_ACQUIRE)) {
        if (console->read && !console->is_log_only && !console->is_silent && !console->wakes_reader)
            return false;
    }
    return true;
}

bool console_input_wakes(void)
{
    return all_wake(&consoles) && all_wake(&inputs);
}

static int read_any(struct console *const *list)
{
    int byte = -EAGAIN;

    for (struct console *console = __atomic_load_n(list, __ATOMIC_ACQUIRE); console && byte < 0;
         console = __atomic_load_n(&console->next, __ATOMIC_ACQUIRE)) {
        if (console->read && !console->is_log_only && !console->is_silent)
            byte = console->read(console);
    }
    return byte;
}

int console_try_read(void)
{
    int byte;

    /* Two readers of one device could both see one byte: the second goes away. Acquire, pairs with the release below.
     */
    if (__atomic_exchange_n(&input_is_taken, 1, __ATOMIC_ACQUIRE))
        return -EAGAIN;
    byte = read_any(&consoles);
    if (byte < 0)
        byte = read_any(&inputs);
    __atomic_store_n(&input_is_taken, 0, __ATOMIC_RELEASE);
    return byte;
}
