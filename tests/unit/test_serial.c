/* Serial consoles against model devices: found and not found, lines that never empty, and who gets log and prompt. */
#include "support/uart_model.h"

#include <errno.h>
#include <string.h>

#include <drivers/serial.h>
#include <hw/uart_16550.h>

/* There is nobody to let run (cpu_relax on the host), in the millions of looks at a stuck device. */
int sched_yield(void)
{
    return 0;
}

static void write_to(struct console *console, const char *text)
{
    console->write(console, text, strlen(text));
}

static void nothing_there(void **state)
{
    power_on(ABSENT, ABSENT, ABSENT, ABSENT);
    assert_int_equal(nr_registered, 0);
    assert_true(nr_reads < 20);
    power_on(PORTS_THAT_KEEP, ZEROS, ABSENT, ABSENT); /* latches, grounded lines: no UART */
    assert_int_equal(nr_registered, 0);
    assert_string_equal(said, "");
    serial_assign("keel.log=com1");
    assert_int_equal(nr_registered, 0);
    assert_non_null(strstr(said, "keel.log=com1: there is no such port"));
}

static void first_one_found(void **state)
{
    power_on(ABSENT, UART, ABSENT, UART_WITHOUT_FIFO);
    assert_int_equal(nr_registered, 1);
    assert_string_equal(registered[0]->name, "com2");
    assert_string_equal(said, "serial: com2 at 0x2f8, 115200 8N1, 16-byte FIFO\n"
                              "serial: com4 at 0x2e8, 115200 8N1, no FIFO\n");
    assert_int_equal(models[1].ier, 0);
    assert_int_equal(models[1].lcr, UART_LCR_8N1);
    assert_int_equal(models[1].mcr, UART_MCR_DTR | UART_MCR_RTS);
    assert_int_equal(models[1].divisor[0] | models[1].divisor[1] << 8, 1);
    assert_int_equal(models[1].fcr & UART_FCR_ENABLE, UART_FCR_ENABLE);
    assert_int_equal(models[3].fcr & UART_FCR_ENABLE, 0);
    serial_assign("");
    assert_int_equal(nr_registered, 1);
    assert_false(registered[0]->is_log_only || registered[0]->is_prompt_only || registered[0]->is_silent);
}

static void bytes_arrive(int kind)
{
    static char text[4000], expected[8200];
    size_t length = 0;

    power_on(kind, ABSENT, ABSENT, ABSENT);
    expected[0] = text[0] = '\0';
    for (unsigned i = 0; i < 3000; i++) {
        char byte = i % 37 == 0 ? '\n' : (char)('a' + i % 26);
        text[i] = byte;
        if (byte == '\n')
            expected[length++] = '\r';
        expected[length++] = byte;
    }
    expected[length] = text[3000] = '\0';
    write_to(registered[0], text);
    assert_string_equal(models[0].sent, expected);
    assert_int_equal(models[0].overruns, 0);
}

static void every_byte_arrives(void **state)
{
    bytes_arrive(UART);
    bytes_arrive(UART_WITHOUT_FIFO);
}

/* However much is written, the waits end, and are given up; what the driver does meanwhile has a bound. */
static void stuck_line(void **state)
{
    static char text[10001];

    memset(text, 'x', 10000);
    power_on(UART, ABSENT, ABSENT, ABSENT);
    models[0].is_stuck = true;
    nr_reads = 0;
    said[0] = '\0';
    for (unsigned i = 0; i < 100; i++)
        write_to(registered[0], text);
    assert_true(nr_reads < 7000000);
    assert_string_equal(said, "serial: com1 takes no more bytes: output to it is given up until it does\n");

    models[0].is_stuck = false;
    models[0].nr_sent = 0;
    write_to(registered[0], "back");
    assert_int_equal(models[0].nr_sent, 4);
    assert_non_null(strstr(said, "com1 takes bytes again; 1000000 were lost"));
}

/* A firmware's last bytes that never go out do not hold the boot up. */
static void stuck_while_probing(void **state)
{
    power_on(ABSENT, ABSENT, ABSENT, ABSENT);
    models[0].kind = UART;
    models[0].is_stuck = true;
    nr_reads = 0;
    serial_init();
    assert_int_equal(nr_registered, 1);
    assert_true(nr_reads < 2500000);
}

static void typing(void **state)
{
    power_on(UART, ABSENT, ABSENT, ABSENT);
    assert_int_equal(registered[0]->read(registered[0]), -EAGAIN);
    receives("ok\xff", 3);
    assert_int_equal(registered[0]->read(registered[0]), 'o');
    assert_int_equal(registered[0]->read(registered[0]), 'k');
    assert_int_equal(registered[0]->read(registered[0]), 0xff);
    assert_int_equal(registered[0]->read(registered[0]), -EAGAIN);
    models[0].kind = ABSENT; /* pulled out */
    assert_int_equal(registered[0]->read(registered[0]), -EAGAIN);
}

/* P prompt, L log, B both, S silent, - not a console: of com1 to com4. */
static void check_roles(const char *command_line, const char *expected)
{
    char roles[5] = "----";

    power_on(UART, UART, ABSENT, UART);
    serial_assign(command_line);
    for (unsigned i = 0; i < 4; i++) {
        static const char *const names[] = {"com1", "com2", "com3", "com4"};
        struct console *console = console_named(names[i]);
        if (console)
            roles[i] = console->is_silent ? 'S' : console->is_log_only ? 'L' : console->is_prompt_only ? 'P' : 'B';
    }
    if (strcmp(roles, expected) != 0)
        fail_msg("'%s' gives %s, not %s", command_line, roles, expected);
}

static void roles(void **state)
{
    check_roles("", "B---");
    check_roles("keel.log=com2", "PL--");
    check_roles("keel.log=com1", "LP--");
    check_roles("keel.console=com2", "SB--");
    check_roles("keel.console=com4 keel.log=com1", "L--P");
    check_roles("keel.console=com2 keel.log=com2", "SB--");
    check_roles("keel.console=none", "L---");
    check_roles("keel.log=none", "P---");
    check_roles("keel.log=none keel.console=none", "S---");
    check_roles("keel.log=com3", "B---"); /* not there */
    assert_non_null(strstr(said, "keel.log=com3: there is no such port"));
    check_roles("keel.log=com9", "B---");
    assert_non_null(strstr(said, "com9 is not known"));
    check_roles("keel.log=something-long", "B---");
    assert_non_null(strstr(said, "keel.log= is not known"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_there), cmocka_unit_test(first_one_found),     cmocka_unit_test(every_byte_arrives),
        cmocka_unit_test(stuck_line),    cmocka_unit_test(stuck_while_probing), cmocka_unit_test(typing),
        cmocka_unit_test(roles),
    };

    return cmocka_run_group_tests_name("drivers/serial", tests, NULL, NULL);
}
