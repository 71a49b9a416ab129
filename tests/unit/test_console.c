/* The log and its consoles together. Every thread has its own struct percpu and so is a CPU; a signal handler is an
 * interrupt or an NMI of it. The console under test checks that it is never entered twice. */
#include "support/unit.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cpu/percpu.h>
#include <cpu/preempt.h>
#include <cpu/tsc.h>
#include <debug/console.h>
#include <debug/log.h>
#include <lib/format.h>

#define CPUS      4
#define PER_CPU_N 3000

static char output[32 << 20]; /* what the test's console was given */
static size_t output_length;
static int is_inside;
static unsigned nr_entered_twice;
static void (*during_write)(void);
static unsigned writes_per_interrupt; /* a driver's every so manieth write is interrupted; 0: none */

uint64_t tsc_now_ns(void)
{
    return 1234567891234;
}

static void capture(struct console *console, const char *bytes, size_t length)
{
    static unsigned nr_writes;

    if (__atomic_exchange_n(&is_inside, 1, __ATOMIC_SEQ_CST))
        nr_entered_twice++;
    if (writes_per_interrupt && ++nr_writes % writes_per_interrupt == 0)
        raise(SIGUSR1);
    if (during_write) {
        void (*action)(void) = during_write;
        during_write = NULL;
        action();
    }
    memcpy(output + output_length, bytes, length);
    output_length += length;
    __atomic_store_n(&is_inside, 0, __ATOMIC_SEQ_CST);
}

static const char *input = "";

static int type(struct console *console)
{
    return *input ? *input++ : -EAGAIN;
}

static struct console screen = {.name = "screen", .write = capture, .read = type};

static void clear_output(void)
{
    memset(output, 0, output_length);
    output_length = 0;
}

static int setup(void **state)
{
    static bool is_registered;

    if (!is_registered) {
        log_info("before any console");
        console_register(&screen);
        assert_string_equal(output, "[ 1234.567891] before any console\n");
    }
    is_registered = true;
    clear_output();
    return 0;
}

static void lines(void **state)
{
    log_info("plain %d", 7);
    log_warn("warning\n");
    log_error("two\nlines");
    log_debug("not shown");
    assert_string_equal(output, "[ 1234.567891] plain 7\n"
                                "[ 1234.567891] \033[33mwarning\033[0m\n"
                                "[ 1234.567891] \033[1;31mtwo\033[0m\n"
                                "               \033[1;31mlines\033[0m\n");
    clear_output();
    log_set_console_level(LOG_DEBUG);
    log_debug("evil \033[2J\a%s", "\x7f");
    log_set_console_level(LOG_INFO);
    assert_string_equal(output, "[ 1234.567891] \033[90mevil ?[2J??\033[0m\n");
}

static void long_text_is_cut(void **state)
{
    struct log_record record;
    uint64_t oldest, sequence = log_next_sequence();

    log_info("%0300d", 1);
    assert_int_equal(log_read(sequence, &record, &oldest), 0);
    assert_int_equal(record.length_bytes, LOG_TEXT_MAX - 1);
    assert_int_equal(strlen(record.text), LOG_TEXT_MAX - 1);
    assert_string_equal(record.text + LOG_TEXT_MAX - 5, "0...");
    log_info("%219s\xc3\xa9\xc3\xa9\xc3\xa9", "x"); /* the cut falls into a character */
    assert_int_equal(log_read(sequence + 1, &record, &oldest), 0);
    assert_string_equal(record.text + 218, "x...");
}

static void prompt_line_stays_below(void **state)
{
    console_printf("keel> %s", "hel");
    clear_output();
    log_info("news");
    assert_string_equal(output, "\033[0m\r\033[K[ 1234.567891] news\nkeel> hel");
    clear_output();
    console_printf("p\n");
    log_info("more");
    assert_string_equal(output, "p\n[ 1234.567891] more\n");
}

static void long_output(void **state)
{
    console_printf("%2000d|\n", 5);
    assert_int_equal(output_length, 2002);
    assert_string_equal(output + 1998, " 5|\n");
    clear_output();
    console_printf("%5000d|\n", 5);
    assert_int_equal(output_length, 4095);
    console_printf("\n");
}

static void log_during_log(void)
{
    for (int i = 0; i < 3; i++)
        log_info("nested %d", i);
    console_printf("output of an interrupt\nhalf");
}

/* S11, in the smallest: the driver itself is interrupted by somebody who logs. */
static void logging_while_logging(void **state)
{
    during_write = log_during_log;
    log_info("outer");
    assert_string_equal(output,
                        "[ 1234.567891] outer\n[ 1234.567891] nested 0\n[ 1234.567891] nested 1\n"
                        "[ 1234.567891] nested 2\n[ 1234.567891] output of an interrupt\n[ 1234.567891] half\n");
    clear_output();
    during_write = log_during_log;
    console_printf("outer\n");
    assert_memory_equal(output, "outer\n[ 1234.567891] nested 0\n", 30);
    assert_int_equal(nr_entered_twice, 0);
}

/* The narrowest place: the interrupt comes when the holder has drained everything and not yet let the lock go. */
static void log_at_the_end(struct console *console)
{
    console->flush = NULL;
    log_info("last moment");
}

static void record_at_the_end_of_a_drain_is_shown(void **state)
{
    screen.flush = log_at_the_end;
    log_info("outer");
    assert_string_equal(output, "[ 1234.567891] outer\n[ 1234.567891] last moment\n");
    clear_output();
    screen.flush = log_at_the_end;
    console_printf("outer\n");
    assert_string_equal(output, "outer\n[ 1234.567891] last moment\n");
}

static size_t length_when_made_way;

void preempt_reschedule_(void)
{
    if (length_when_made_way == 0)
        length_when_made_way = output_length;
    preempt_request_done();
}

static void log_and_want_the_cpu(void)
{
    for (int i = 0; i < 3; i++)
        log_info("meanwhile %d", i);
    preempt_request();
}

/* A backlog does not keep the CPU from who waits for it: after the record in hand it is given away, and then the rest
 * comes. */
static void a_drain_makes_way_between_records(void **state)
{
    static const char expected[] = "[ 1234.567891] outer\n[ 1234.567891] meanwhile 0\n[ 1234.567891] meanwhile 1\n"
                                   "[ 1234.567891] meanwhile 2\n";

    percpu.preempt_count = PREEMPT_NO_RESCHEDULE;
    length_when_made_way = 0;
    during_write = log_and_want_the_cpu;
    log_info("outer");
    assert_int_equal(length_when_made_way, strlen("[ 1234.567891] outer\n"));
    assert_string_equal(output, expected);
    clear_output();
    during_write = log_and_want_the_cpu;
    preempt_disable(); /* the caller's own: nobody gets the CPU here, so all is written */
    log_info("outer");
    assert_string_equal(output, expected);
    preempt_enable();
    percpu.preempt_count = 0;
}

static void second_console_gets_the_log_so_far(void **state)
{
    static struct console late = {.name = "late", .write = capture, .is_log_only = true};
    static struct console shell = {.name = "shell", .write = capture, .is_prompt_only = true};

    log_error("one");
    clear_output();
    console_register(&late);
    assert_memory_equal(output, "[ 1234.567891] before any console\n", 34);
    assert_non_null(strstr(output, "[ 1234.567891] one\n")); /* no colours */
    clear_output();
    console_register(&shell);
    assert_int_equal(output_length, 0);
    console_printf("x\n"); /* screen and shell */
    assert_string_equal(output, "x\nx\n");
    clear_output();
    log_info("y"); /* screen and late */
    assert_string_equal(output, "[ 1234.567891] y\n[ 1234.567891] y\n");
    screen.is_prompt_only = shell.is_prompt_only = true; /* the threads' test counts on one console */
    shell.is_log_only = true;
}

static void typed(void **state)
{
    input = "ab";
    assert_int_equal(console_try_read(), 'a');
    assert_int_equal(console_try_read(), 'b');
    assert_int_equal(console_try_read(), -EAGAIN);
}

/* CPUs that log and print while interrupts of theirs log and print: at any instruction, as often as the host lets
 * the sender run, and in the driver, as often as said. Every record must be out when the last one has returned, exactly
 * once, with nobody flushing behind them. */

static __thread unsigned nr_interrupts;
static unsigned total_interrupts;
static unsigned nr_started, nr_ended;

static void on_signal(int number)
{
    int saved = errno;

    (void)number;
    log_info("i %u %u.", this_cpu_read(percpu.cpu_number), nr_interrupts);
    if (nr_interrupts % 3 == 0)
        console_printf("interrupt\n");
    nr_interrupts++;
    errno = saved;
}

static void *cpu(void *argument)
{
    sigset_t signals;

    this_cpu_write(percpu.cpu_number, (unsigned)(uintptr_t)argument);
    __atomic_fetch_add(&nr_started, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < PER_CPU_N; i++) {
        log_info("t %u %u.", this_cpu_read(percpu.cpu_number), i);
        if (i % 4 == 0)
            console_printf("p %u %u.\n", this_cpu_read(percpu.cpu_number), i);
    }
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    __atomic_fetch_add(&total_interrupts, nr_interrupts, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&nr_ended, 1, __ATOMIC_SEQ_CST);
    return (void *)(uintptr_t)nr_interrupts;
}

/* The numbers of "KIND cpu n." lines must be 0, 1, 2 ... (times step) in this order. */
static unsigned count_lines(const char *kind, unsigned number, unsigned step)
{
    char wanted[40];
    unsigned count = 0;
    const char *at = output;

    for (;;) {
        int length = snprintf(wanted, sizeof(wanted), "%s %u %u.", kind, number, count * step);
        at = strstr(at, wanted);
        if (!at)
            return count;
        at += length;
        count++;
    }
}

static unsigned count_text(const char *text)
{
    unsigned count = 0;

    for (const char *at = output; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

static void many_cpus(void **state)
{
    pthread_t cpus[CPUS];
    void *interrupts[CPUS];
    struct timespec moment = {0, 2000};
    unsigned printed = 0;

    signal(SIGUSR1, on_signal);
    writes_per_interrupt = 61;
    for (unsigned i = 0; i < CPUS; i++)
        assert_int_equal(pthread_create(&cpus[i], NULL, cpu, (void *)(uintptr_t)(i + 1)), 0);
    while (__atomic_load_n(&nr_started, __ATOMIC_SEQ_CST) < CPUS)
        nanosleep(&moment, NULL);
    for (unsigned i = 0; __atomic_load_n(&nr_ended, __ATOMIC_SEQ_CST) < CPUS; i++) {
        pthread_kill(cpus[i % CPUS], SIGUSR1);
        nanosleep(&moment, NULL);
    }
    for (unsigned i = 0; i < CPUS; i++)
        pthread_join(cpus[i], &interrupts[i]);
    writes_per_interrupt = 0;
    assert_int_equal(nr_entered_twice, 0);
    assert_true(total_interrupts > 0);
    assert_int_equal(count_text("[log:"), 0);
    for (unsigned i = 0; i < CPUS; i++) {
        unsigned number = i + 1, taken = (unsigned)(uintptr_t)interrupts[i];

        assert_int_equal(count_lines("] t", number, 1), PER_CPU_N);
        assert_int_equal(count_lines("p", number, 4), PER_CPU_N / 4);
        assert_int_equal(count_lines("] i", number, 1), taken);
        printed += (taken + 2) / 3;
    }
    assert_int_equal(count_text("interrupt\n"), printed);
    assert_int_equal(count_text("\n"), CPUS * (PER_CPU_N + PER_CPU_N / 4) + total_interrupts + printed);
}

/* Last: there is no way back. The driver was interrupted by a panic while it held the lock. */
static void panic_here(void)
{
    is_inside = 0;
    console_enter_panic();
    log_error("the report");
    console_printf("and more\n");
    assert_memory_equal(output, "\033[0m\n", 5);
    assert_non_null(strstr(output, "\n[ 1234.567891] \033[1;31mthe report\033[0m\n"));
    assert_non_null(strstr(output, "\nand more\n"));
    output_length = 0;
}

static void panic_while_writing(void **state)
{
    screen.is_prompt_only = false;
    during_write = panic_here;
    log_info("interrupted");
    assert_null(during_write);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(lines, setup),
        cmocka_unit_test_setup(long_text_is_cut, setup),
        cmocka_unit_test_setup(prompt_line_stays_below, setup),
        cmocka_unit_test_setup(long_output, setup),
        cmocka_unit_test_setup(logging_while_logging, setup),
        cmocka_unit_test_setup(record_at_the_end_of_a_drain_is_shown, setup),
        cmocka_unit_test_setup(a_drain_makes_way_between_records, setup),
        cmocka_unit_test_setup(typed, setup),
        cmocka_unit_test_setup(many_cpus, setup),
        cmocka_unit_test_setup(second_console_gets_the_log_so_far, setup),
        cmocka_unit_test_setup(panic_while_writing, setup),
    };

    return cmocka_run_group_tests_name("debug/console", tests, NULL, NULL);
}
