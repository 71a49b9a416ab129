/* Serial input: by interrupt and without, what goes wrong on the line, and BREAK. */
#include "support/uart_model.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include <drivers/serial.h>
#include <hw/uart_16550.h>

#include "uart_16550.h"

/* With COM1 interrupting, and its first interrupt taken. */
static void start_interrupting(void)
{
    power_on(UART, ABSENT, ABSENT, ABSENT);
    serial_assign("");
    serial_use_interrupts();
    assert_int_equal(interrupt(), IRQ_HANDLED);
    said[0] = '\0';
}

static void a_parity_error_costs_its_byte_and_no_other(void **state)
{
    start_interrupting();
    receives("?!", 2);
    models[0].line_errors = UART_LSR_PARITY;
    assert_int_equal(interrupt(), IRQ_HANDLED);
    assert_int_equal(read_com1(), '!');
    assert_int_equal(read_com1(), -EAGAIN);
    assert_non_null(strstr(said, "com1: bytes were lost 0 times, being read too late, and 1 came damaged"));
    receives("?!", 2);
    models[0].line_errors = UART_LSR_FRAMING;
    assert_int_equal(read_com1(), '!');
    assert_non_null(strstr(said, "and 2 came damaged"));
}

static void after_an_overrun_the_byte_is_good(void **state)
{
    start_interrupting();
    receives("ab", 2);
    models[0].line_errors = UART_LSR_OVERRUN;
    assert_int_equal(read_com1(), 'a');
    assert_int_equal(read_com1(), 'b');
    assert_non_null(strstr(said, "com1: bytes were lost 1 times"));
    said[0] = '\0';
    for (unsigned i = 2; i <= 9; i++) {
        receives("a", 1);
        models[0].line_errors = UART_LSR_OVERRUN;
        assert_int_equal(read_com1(), 'a');
    }
    assert_null(strstr(said, "3 times")); /* said the 1st, 2nd, 4th, 8th time */
    assert_non_null(strstr(said, "8 times"));
    assert_null(strstr(said, "9 times"));
}

/* Writing reads the line status, and the device forgets: the errors are the next byte's all the same. */
static void errors_seen_while_writing_are_kept(void **state)
{
    start_interrupting();
    receives("\0t", 2);
    models[0].line_errors = UART_LSR_BREAK | UART_LSR_FRAMING;
    registered[0]->write(registered[0], "x", 1);
    assert_int_equal(models[0].line_errors, 0);
    assert_int_equal(interrupt(), IRQ_HANDLED);
    assert_string_equal(requested, "t");
}

/* Another CPU reads the line status to send, and the interrupt comes here before it has noted what it saw. */

static int phase; /* [a] */
enum { IDLE, LOOKED, OTHER_IS_DONE };

static void let_the_other_run(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000}, NULL);
}

static void *handle_interrupt(void *unused)
{
    while (__atomic_load_n(&phase, __ATOMIC_ACQUIRE) != LOOKED)
        let_the_other_run();
    interrupt();
    __atomic_store_n(&phase, OTHER_IS_DONE, __ATOMIC_RELEASE);
    return unused;
}

/* Who waits for another CPU yields to it (cpu_relax on the host): then the other has not overtaken. */
int sched_yield(void)
{
    __atomic_store_n(&phase, OTHER_IS_DONE, __ATOMIC_RELEASE);
    let_the_other_run();
    return 0;
}

static void be_overtaken(void)
{
    models[0].after_status = NULL;
    __atomic_store_n(&phase, LOOKED, __ATOMIC_RELEASE);
    while (__atomic_load_n(&phase, __ATOMIC_ACQUIRE) != OTHER_IS_DONE)
        let_the_other_run();
}

static void errors_seen_while_another_cpu_receives_are_kept(void **state)
{
    pthread_t other;

    start_interrupting();
    receives("\0t", 2);
    models[0].line_errors = UART_LSR_BREAK | UART_LSR_FRAMING;
    models[0].after_status = be_overtaken;
    phase = IDLE;
    assert_int_equal(pthread_create(&other, NULL, handle_interrupt, NULL), 0);
    registered[0]->write(registered[0], "x", 1);
    pthread_join(other, NULL);
    assert_string_equal(requested, "t");
}

/* A CPU was stopped while it had the line status: the others still write. */
static void a_stopped_cpu_keeps_nobody_from_writing(void **state)
{
    static struct uart uart;

    start_interrupting();
    assert_int_equal(uart_probe(&uart, 0x3f8), 0);
    uart.is_taken = true;
    assert_int_equal(uart_write(&uart, "panic", 5), 5);
    assert_false(uart.is_taken);
}

static void send_break(void)
{
    receives("\0", 1);
    models[0].line_errors = UART_LSR_BREAK;
    assert_int_equal(interrupt(), IRQ_HANDLED);
}

static void send_byte(char byte)
{
    static char sent;

    sent = byte;
    receives(&sent, 1);
    assert_int_equal(interrupt(), IRQ_HANDLED);
}

static void break_and_a_letter(void **state)
{
    start_interrupting();
    send_break();
    assert_non_null(strstr(said, "com1: BREAK"));
    send_byte('t');
    assert_string_equal(requested, "t");
    send_byte('t');
    assert_string_equal(requested, "t"); /* one letter for each BREAK */
    assert_int_equal(read_com1(), 't');
    assert_int_equal(read_com1(), -EAGAIN);
}

static void break_that_is_none(void **state)
{
    start_interrupting();
    send_break(), send_break(), send_byte('b'); /* taken back */
    assert_int_equal(read_com1(), 'b');
    send_break(), send_byte('B'), send_byte('b'); /* no letter of a request: a byte, and so is the next */
    assert_int_equal(read_com1(), 'B');
    assert_int_equal(read_com1(), 'b');
    send_break();
    now_ns += 5000000000ull;
    send_byte('b');
    assert_int_equal(read_com1(), 'b');
    assert_string_equal(requested, "");
    send_break();
    now_ns += 4999999999ull;
    send_byte('b');
    assert_string_equal(requested, "b");
    send_byte('\0'); /* a byte 0 without BREAK is typed: Ctrl-@ */
    assert_int_equal(read_com1(), 0);
}

/* QEMU tells of a BREAK while bytes in front of it wait. */
static void break_behind_bytes(void **state)
{
    start_interrupting();
    receives("ab\0t", 4);
    models[0].line_errors = UART_LSR_BREAK;
    assert_int_equal(interrupt(), IRQ_HANDLED);
    assert_int_equal(read_com1(), 'a');
    assert_int_equal(read_com1(), 'b');
    assert_int_equal(read_com1(), -EAGAIN);
    assert_string_equal(requested, "t");
}

/* Taken out of the device by the interrupt, and read later, in order; a full ring leaves the rest in the device. */
static void input_by_interrupt(void **state)
{
    static char text[9001];
    struct console *console;

    power_on(UART, UART, ABSENT, ABSENT);
    serial_assign("keel.log=com2");
    serial_use_interrupts();
    console = console_named("com1");
    assert_int_equal(interrupt(), IRQ_HANDLED); /* the one that is asked for */
    assert_int_equal(console->read(console), -EAGAIN);
    assert_true(console->wakes_reader);
    assert_int_equal(models[0].ier, UART_IER_RECEIVED);
    assert_true(models[0].mcr & UART_MCR_OUT2);
    assert_int_equal(models[1].ier, 0); /* the log's port is not read */
    assert_null(handlers[3]);
    for (unsigned i = 0; i < 9000; i++)
        text[i] = (char)('a' + i % 26);
    receives(text, 9000);
    assert_int_equal(interrupt(), IRQ_HANDLED);
    assert_int_equal(models[0].received - text, 4096);
    for (unsigned i = 0; i < 9000; i++)
        assert_int_equal(console->read(console), 'a' + i % 26);
    assert_int_equal(console->read(console), -EAGAIN);
    assert_true(console->wakes_reader);         /* no interrupt could tell of what was left there */
    assert_int_equal(interrupt(), IRQ_HANDLED); /* the reader was faster */
    assert_int_equal(interrupt(), IRQ_NOT_MINE);
    assert_null(strstr(said, "polled"));
}

/* COM1's interrupts on a level-triggered line: for as long as the device asserts it. Returns how many there were. */
static unsigned interrupts_of_level(void)
{
    unsigned count = 0;

    for (; models[0].ier & UART_IER_RECEIVED && models[0].nr_received > 0; count++) {
        if (count > 100)
            fail_msg("the line stays up");
        assert_int_equal(interrupt(), IRQ_HANDLED);
    }
    return count;
}

/* With no room for what the device holds, its line would keep everybody from running, the reader first. */
static void a_full_ring_lets_go_of_the_line(void **state)
{
    static char text[9001];
    unsigned nr_interrupts;

    start_interrupting();
    for (unsigned i = 0; i < 9000; i++)
        text[i] = (char)('a' + i % 26);
    for (unsigned round = 0; round < 3; round++) {
        receives(text, 9000);
        nr_interrupts = interrupts_of_level();
        for (unsigned i = 0; i < 9000; i++) {
            assert_int_equal(read_com1(), 'a' + i % 26);
            nr_interrupts += interrupts_of_level();
            assert_true(console_named("com1")->wakes_reader);
        }
        assert_int_equal(read_com1(), -EAGAIN);
        assert_true(nr_interrupts > 0 && nr_interrupts < 10);
        assert_int_equal(models[0].ier, UART_IER_RECEIVED);
    }
    receives("x", 1);
    assert_int_equal(interrupts_of_level(), 1);
    assert_int_equal(read_com1(), 'x');
    assert_string_equal(said, "");
}

/* Found out by the very read that fills the ring: the line is connected all the same, should interrupts come again. */
static void a_full_ring_as_interrupts_stop(void **state)
{
    static char text[5001];

    start_interrupting();
    for (unsigned i = 0; i < 7; i++) {
        receives("x", 1);
        assert_int_equal(read_com1(), 'x');
    }
    memset(text, 'y', 5000);
    receives(text, 5000);
    for (unsigned i = 0; i < 5000; i++)
        assert_int_equal(read_com1(), 'y');
    assert_int_equal(read_com1(), -EAGAIN);
    assert_non_null(strstr(said, "does not interrupt"));
    assert_int_equal(models[0].ier, UART_IER_RECEIVED);
    receives("z", 1);
    assert_int_equal(interrupt(), IRQ_HANDLED);
    assert_int_equal(read_com1(), 'z');
    assert_true(console_named("com1")->wakes_reader);
}

/* A port that does not interrupt is not made to by a ring that was full. */
static void a_full_ring_of_a_polled_port(void **state)
{
    static char text[9001];

    for (unsigned has_claim = 0; has_claim < 2; has_claim++) {
        uint8_t ier = has_claim ? UART_IER_RECEIVED | UART_IER_THR_FREE : 0;

        power_on(UART, ABSENT, ABSENT, ABSENT);
        irq_error = has_claim ? 0 : -ENODEV;
        serial_assign("");
        serial_use_interrupts();
        memset(text, 'x', 9000);
        receives(text, 9000);
        for (unsigned i = 0; i < 9000; i++) {
            assert_int_equal(read_com1(), 'x');
            assert_int_equal(models[0].ier, ier);
        }
        assert_int_equal(read_com1(), -EAGAIN);
        assert_int_equal(models[0].ier, ier);
        assert_false(console_named("com1")->wakes_reader);
    }
}

/* Wired to another input than a PC's: found out at the first read, and told once; should interrupts come after all,
 * they are used. */
static void an_interrupt_that_never_comes(void **state)
{
    power_on(UART, ABSENT, ABSENT, ABSENT);
    serial_assign("");
    serial_use_interrupts();
    said[0] = '\0';
    receives("xyz", 3);
    assert_int_equal(read_com1(), 'x');
    assert_false(console_named("com1")->wakes_reader);
    assert_string_equal(said, "serial: com1 does not interrupt for what it receives: it is polled\n");
    assert_int_equal(read_com1(), 'y');
    assert_int_equal(read_com1(), 'z');
    assert_int_equal(read_com1(), -EAGAIN);
    assert_string_equal(said, "serial: com1 does not interrupt for what it receives: it is polled\n");
    assert_int_equal(interrupt(), IRQ_HANDLED);
    assert_int_equal(read_com1(), -EAGAIN);
    assert_true(console_named("com1")->wakes_reader);
}

/* Masked as a storm, say: what the reader finds by itself gives it away. */
static void interrupts_that_stop_coming(void **state)
{
    start_interrupting();
    assert_int_equal(read_com1(), -EAGAIN);
    for (unsigned i = 0; i < 8; i++) {
        assert_true(console_named("com1")->wakes_reader);
        assert_string_equal(said, "");
        receives("x", 1);
        assert_int_equal(read_com1(), 'x');
    }
    assert_false(console_named("com1")->wakes_reader);
    assert_string_equal(said, "serial: com1 does not interrupt for what it receives: it is polled\n");
}

static void a_faster_reader_is_an_excuse(void **state)
{
    start_interrupting();
    while (interrupt() == IRQ_HANDLED)
        ;
    receives("x", 1);
    assert_int_equal(read_com1(), 'x');
    assert_int_equal(interrupt(), IRQ_HANDLED);
    assert_int_equal(interrupt(), IRQ_NOT_MINE);
}

/* On another CPU than the handler's, before that has begun with the first of two interrupts. */
static void a_reader_twice_as_fast_is_two_excuses(void **state)
{
    start_interrupting();
    while (interrupt() == IRQ_HANDLED)
        ;
    for (unsigned i = 0; i < 3; i++) { /* no more than two interrupts wait at a local APIC */
        receives("x", 1);
        assert_int_equal(read_com1(), 'x');
    }
    assert_int_equal(interrupt(), IRQ_HANDLED);
    assert_int_equal(interrupt(), IRQ_HANDLED);
    assert_int_equal(interrupt(), IRQ_NOT_MINE);
}

/* Interrupts without a reason are the port's no more than anybody's: the interrupt layer masks the line. */
static void a_storm_is_disowned(void **state)
{
    unsigned nr_owned = 0;

    start_interrupting();
    for (unsigned i = 0; i < 1000; i++)
        nr_owned += interrupt() == IRQ_HANDLED;
    assert_true(nr_owned <= 1);
}

/* A device that has bytes, or broken ones, at every look: handler and reader end all the same. */
static void bytes_without_end(void **state)
{
    start_interrupting();
    models[0].is_endless = true;
    models[0].line_errors = UART_LSR_FRAMING;
    nr_reads = 0;
    (void)interrupt();
    assert_true(nr_reads < 200000);
    nr_reads = 0;
    (void)read_com1();
    assert_true(nr_reads < 20000);
    models[0].line_errors = 0;
    (void)interrupt();
    nr_reads = 0;
    assert_int_equal(read_com1(), 0);
    assert_true(nr_reads < 20000);
}

static void without_an_interrupt_input_is_polled(void **state)
{
    power_on(UART, ABSENT, ABSENT, ABSENT);
    irq_error = -ENODEV;
    serial_assign("");
    serial_use_interrupts();
    assert_int_equal(models[0].ier, 0);
    assert_non_null(strstr(said, "com1 is polled"));
    receives("x", 1);
    assert_int_equal(read_com1(), 'x');
    assert_false(console_named("com1")->wakes_reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_parity_error_costs_its_byte_and_no_other),
        cmocka_unit_test(after_an_overrun_the_byte_is_good),
        cmocka_unit_test(errors_seen_while_writing_are_kept),
        cmocka_unit_test(errors_seen_while_another_cpu_receives_are_kept),
        cmocka_unit_test(a_stopped_cpu_keeps_nobody_from_writing),
        cmocka_unit_test(break_and_a_letter),
        cmocka_unit_test(break_that_is_none),
        cmocka_unit_test(break_behind_bytes),
        cmocka_unit_test(input_by_interrupt),
        cmocka_unit_test(a_full_ring_lets_go_of_the_line),
        cmocka_unit_test(a_full_ring_as_interrupts_stop),
        cmocka_unit_test(a_full_ring_of_a_polled_port),
        cmocka_unit_test(an_interrupt_that_never_comes),
        cmocka_unit_test(interrupts_that_stop_coming),
        cmocka_unit_test(a_faster_reader_is_an_excuse),
        cmocka_unit_test(a_reader_twice_as_fast_is_two_excuses),
        cmocka_unit_test(a_storm_is_disowned),
        cmocka_unit_test(bytes_without_end),
        cmocka_unit_test(without_an_interrupt_input_is_polled),
    };

    return cmocka_run_group_tests_name("drivers/serial_input", tests, NULL, NULL);
}
