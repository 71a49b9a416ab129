#include "uart_model.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cpu/io.h>
#include <debug/log.h>
#include <debug/sysrq.h>
#include <drivers/serial.h>
#include <hw/uart_16550.h>
#include <time/clock.h>

struct uart_model models[4];
unsigned long nr_reads;

static struct uart_model *model_at(uint16_t port)
{
    for (unsigned i = 0; i < 4; i++) {
        if (port >= models[i].base && port < models[i].base + 8)
            return &models[i];
    }
    fail_msg("port 0x%x is none of a serial port", port);
    return NULL;
}

static bool has_byte(const struct uart_model *model)
{
    return model->is_endless || model->nr_received > 0;
}

static uint8_t status_now(struct uart_model *model)
{
    uint8_t status = has_byte(model) ? (uint8_t)(UART_LSR_DATA | model->line_errors) : 0;

    if (!model->is_endless)
        model->line_errors = 0;
    if (model->is_stuck)
        return status;
    if (model->busy > 0) {
        model->busy--;
        return status;
    }
    model->in_fifo = 0;
    return status | UART_LSR_THR_FREE | UART_LSR_IDLE;
}

static uint8_t line_status(struct uart_model *model)
{
    uint8_t status = status_now(model);

    if (model->after_status)
        model->after_status();
    return status;
}

/* What it interrupts for, as UART_IIR says it. */
static uint8_t reason(struct uart_model *model)
{
    if (model->ier & UART_IER_RECEIVED && has_byte(model))
        return 0x04;
    if (model->ier & UART_IER_THR_FREE && model->has_thr_edge) {
        model->has_thr_edge = false;
        return 0x02;
    }
    return 0x01;
}

static uint8_t modem_status(const struct uart_model *model)
{
    if (!(model->mcr & UART_MCR_LOOP))
        return 0xb0;
    return (uint8_t)((model->mcr & UART_MCR_RTS ? 0x10 : 0) | (model->mcr & UART_MCR_DTR ? 0x20 : 0) |
                     (model->mcr & 0x04 ? 0x40 : 0) | (model->mcr & UART_MCR_OUT2 ? 0x80 : 0));
}

uint8_t in8(uint16_t port)
{
    struct uart_model *model = model_at(port);

    nr_reads++;
    if (model->kind == ABSENT || model->kind == ZEROS)
        return model->kind == ABSENT ? 0xff : 0;
    switch (port - model->base) {
    case UART_RBR:
        if (model->is_endless || !has_byte(model))
            return 0;
        model->nr_received--;
        return (uint8_t)*model->received++;
    case UART_IIR:
        return (uint8_t)((model->fcr & UART_FCR_ENABLE && model->kind == UART ? 0xc0 : 0) | reason(model));
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

static void send(struct uart_model *model, uint8_t value)
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
    struct uart_model *model = model_at(port);
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
        model->has_thr_edge |= value & UART_IER_THR_FREE & ~model->ier;
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

irq_handler handlers[16];
void *contexts[16];
int irq_error;

int irq_request_isa(unsigned isa_irq, irq_handler handler, void *context, const char *name, struct irq **irq)
{
    if (irq_error || handlers[isa_irq])
        return irq_error ? irq_error : -EBUSY;
    handlers[isa_irq] = handler;
    contexts[isa_irq] = context;
    *irq = (struct irq *)&handlers[isa_irq];
    return 0;
}

char requested[16];

void sysrq_ask(char letter)
{
    size_t length = strlen(requested);

    requested[length] = letter;
    requested[length + 1] = '\0';
}

uint64_t now_ns;

uint64_t clock_now_ns(void)
{
    return now_ns;
}

/* The console layer's part: what the driver registered, and what it had to say. */

struct console *registered[8];
unsigned nr_registered;
char said[4000];

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

void power_on(int com1, int com2, int com3, int com4)
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
    requested[0] = '\0';
    said[0] = '\0';
    serial_init();
}

struct console *console_named(const char *name)
{
    for (unsigned i = 0; i < nr_registered; i++) {
        if (strcmp(registered[i]->name, name) == 0)
            return registered[i];
    }
    return NULL;
}

void receives(const char *bytes, size_t length)
{
    models[0].received = bytes;
    models[0].nr_received = length;
}

enum irq_result interrupt(void)
{
    return handlers[4](contexts[4]);
}

int read_com1(void)
{
    return console_named("com1")->read(console_named("com1"));
}

bool irq_is_here(const struct irq *irq)
{
    return true;
}

__attribute__((weak)) void console_input_arrived(void)
{
}
