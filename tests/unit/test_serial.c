/* Serial consoles against model devices: found and not found, lines that never empty, and who gets log and prompt. */
#include "support/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cpu/io.h>
#include <debug/console.h>
#include <debug/log.h>
#include <drivers/serial.h>
#include <hw/uart_16550.h>
#include <irq/irq.h>

/* A 16550 as far as the driver sees it, or something else at its place. */
struct model {
    enum { ABSENT, UART, UART_WITHOUT_FIFO, PORTS_THAT_KEEP, ZEROS } kind;
    uint16_t base;
    uint8_t ier, lcr, mcr, scr, fcr, divisor[2];
    bool is_stuck;    /* the transmitter never empties */
    unsigned busy;    /* status reads until it does */
    unsigned in_fifo; /* bytes written since it was last seen free */
    char sent[20000];
    size_t nr_sent, overruns;
    const char *received;
    uint8_t line_errors; /* LSR bits that come with the next byte */
};

static struct model models[4];
static unsigned long nr_reads;

static struct model *model_at(uint16_t port)
{
    for (unsigned i = 0; i < 4; i++) {
        if (port >= models[i].base && port < models[i].base + 8)
            return &models[i];
    }
    fail_msg("port 0x%x is none of a serial port", port);
    return NULL;
}

static uint8_t line_status(struct model *model)
{
    uint8_t status = model->received && *model->received ? (uint8_t)(UART_LSR_DATA | model->line_errors) : 0;

    if (model->is_stuck)
        return status;
    if (model->busy > 0) {
        model->busy--;
        return status;
    }
    model->in_fifo = 0;
    return status | UART_LSR_THR_FREE | UART_LSR_IDLE;
}

static uint8_t modem_status(const struct model *model)
{
    if (!(model->mcr & UART_MCR_LOOP))
        return 0xb0;
    return (uint8_t)((model->mcr & UART_MCR_RTS ? 0x10 : 0) | (model->mcr & UART_MCR_DTR ? 0x20 : 0) |
                     (model->mcr & 0x04 ? 0x40 : 0) | (model->mcr & UART_MCR_OUT2 ? 0x80 : 0));
}

uint8_t in8(uint16_t port)
{
    struct model *model = model_at(port);

    nr_reads++;
    if (model->kind == ABSENT || model->kind == ZEROS)
        return model->kind == ABSENT ? 0xff : 0;
    switch (port - model->base) {
    case UART_RBR:
        model->line_errors = 0;
        return model->received && *model->received ? (uint8_t)*model->received++ : 0;
    case UART_IIR:
        return model->fcr & UART_FCR_ENABLE && model->kind == UART ? 0xc1 : 0x01;
    case UART_MCR:
        return model->mcr;
    case UART_LSR:
        return model->kind == PORTS_THAT_KEEP ? 0x60 : line_status(model);
    case UART_MSR:
        return model->kind == PORTS_THAT_KEEP ? 0x77 : modem_status(model);
    case UART_SCR:
        return model->scr;
    default:
        return 0;
    }
}

static void send(struct model *model, uint8_t value)
{
    if (model->mcr & UART_MCR_LOOP)
        fail_msg("sent in loopback");
    model->overruns += model->in_fifo >= (model->fcr & UART_FCR_ENABLE ? 16u : 1u);
    model->in_fifo++;
    model->busy = 3;
    if (!model->is_stuck && model->nr_sent < sizeof(model->sent) - 1)
        model->sent[model->nr_sent++] = (char)value;
}

void out8(uint16_t port, uint8_t value)
{
    struct model *model = model_at(port);
    unsigned offset = (unsigned)(port - model->base);

    if (model->lcr & UART_LCR_DLAB && offset <= UART_DLM) {
        model->divisor[offset] = value;
        return;
    }
    switch (offset) {
    case UART_THR:
        send(model, value);
        break;
    case UART_IER:
        model->ier = value;
        break;
    case UART_FCR:
        model->fcr = value;
        break;
    case UART_LCR:
        model->lcr = value;
        break;
    case UART_MCR:
        model->mcr = value;
        break;
    case UART_SCR:
        model->scr = value;
        break;
    default:
        break;
    }
}

/* The interrupt layer's part. */

static irq_handler handlers[16];
static void *contexts[16];
static int irq_error;

int irq_request_isa(unsigned isa_irq, irq_handler handler, void *context, const char *name, struct irq **irq)
{
    if (irq_error || handlers[isa_irq])
        return irq_error ? irq_error : -EBUSY;
    handlers[isa_irq] = handler;
    contexts[isa_irq] = context;
    *irq = (struct irq *)&handlers[isa_irq];
    return 0;
}

/* The console layer's part: what the driver registered, and what it had to say. */

static struct console *registered[8];
static unsigned nr_registered;
static char said[4000];

void console_register(struct console *console)
{
    assert_true(nr_registered < 8);
    registered[nr_registered++] = console;
}

void log_write(enum log_level level, const char *format, ...)
{
    va_list arguments;
    size_t at = strlen(said);

    va_start(arguments, format);
    vsnprintf(said + at, sizeof(said) - at, format, arguments);
    va_end(arguments);
    strcat(said, "\n");
}

static const uint16_t bases[4] = {0x3f8, 0x2f8, 0x3e8, 0x2e8};

static void power_on(int com1, int com2, int com3, int com4)
{
    const int kinds[4] = {com1, com2, com3, com4};

    memset(models, 0, sizeof(models));
    for (unsigned i = 0; i < 4; i++) {
        models[i].base = bases[i];
        models[i].kind = kinds[i];
        models[i].ier = models[i].lcr = 0xff; /* as bad as a firmware may leave it */
        models[i].mcr = 0x0f;
        models[i].scr = 0x77;
    }
    memset(handlers, 0, sizeof(handlers));
    irq_error = 0;
    nr_registered = 0;
    nr_reads = 0;
    said[0] = '\0';
    serial_init();
}

static struct console *console_named(const char *name)
{
    for (unsigned i = 0; i < nr_registered; i++) {
        if (strcmp(registered[i]->name, name) == 0)
            return registered[i];
    }
    return NULL;
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
    models[0].received = "ok\xff";
    assert_int_equal(registered[0]->read(registered[0]), 'o');
    assert_int_equal(registered[0]->read(registered[0]), 'k');
    assert_int_equal(registered[0]->read(registered[0]), 0xff);
    assert_int_equal(registered[0]->read(registered[0]), -EAGAIN);
    models[0].received = "?!";
    models[0].line_errors = 0x08; /* framing */
    assert_int_equal(registered[0]->read(registered[0]), -EAGAIN);
    assert_int_equal(registered[0]->read(registered[0]), '!');
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

/* Taken out of the device by the interrupt, and read later, in order; a full ring leaves the rest in the device. */
static void input_by_interrupt(void **state)
{
    static char text[3001];
    struct console *console;

    power_on(UART, UART, ABSENT, ABSENT);
    serial_assign("keel.log=com2");
    serial_use_interrupts();
    console = console_named("com1");
    assert_true(console->wakes_reader);
    assert_int_equal(models[0].ier, 1);
    assert_true(models[0].mcr & UART_MCR_OUT2);
    assert_int_equal(models[1].ier, 0); /* the log's port is not read */
    assert_null(handlers[3]);
    for (unsigned i = 0; i < 3000; i++)
        text[i] = (char)('a' + i % 26);
    models[0].received = text;
    assert_int_equal(handlers[4](contexts[4]), IRQ_HANDLED);
    assert_int_equal(models[0].received - text, 1024);
    for (unsigned i = 0; i < 3000; i++)
        assert_int_equal(console->read(console), 'a' + i % 26);
    assert_int_equal(console->read(console), -EAGAIN);
    assert_int_equal(handlers[4](contexts[4]), IRQ_HANDLED); /* the reader was faster */
}

static void without_an_interrupt_input_is_polled(void **state)
{
    power_on(UART, ABSENT, ABSENT, ABSENT);
    irq_error = -ENODEV;
    serial_assign("");
    serial_use_interrupts();
    assert_false(console_named("com1")->wakes_reader);
    assert_int_equal(models[0].ier, 0);
    assert_non_null(strstr(said, "com1 is polled"));
    models[0].received = "x";
    assert_int_equal(console_named("com1")->read(console_named("com1")), 'x');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_there),
        cmocka_unit_test(input_by_interrupt),
        cmocka_unit_test(without_an_interrupt_input_is_polled),
        cmocka_unit_test(first_one_found),
        cmocka_unit_test(every_byte_arrives),
        cmocka_unit_test(stuck_line),
        cmocka_unit_test(stuck_while_probing),
        cmocka_unit_test(typing),
        cmocka_unit_test(roles),
    };

    return cmocka_run_group_tests_name("drivers/serial", tests, NULL, NULL);
}
