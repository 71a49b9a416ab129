/* What a serial port has received: taken out of the device as it comes, by its interrupt where it has one, and kept
 * until it is read. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <sync/spinlock.h>

#include "uart_16550.h"

#define SERIAL_INPUT_MAX 1024u /* a power of two; more stays in the device */

struct irq;

struct serial_input {
    struct spinlock lock; /* "serial input"; interrupts take it */
    struct uart *uart;    /* [I] */
    struct irq *irq;      /* [I] NULL while it is polled */
    uint8_t bytes[SERIAL_INPUT_MAX];
    uint32_t head, tail; /* [l] written and read so far */
};

void serial_input_init(struct serial_input *input, struct uart *uart);

/* The next byte, or -EAGAIN. Context: any but NMI. */
int serial_input_read(struct serial_input *input);

/* From here on the device interrupts when it has received something. Returns 0 or the error of irq_request_isa, which
 * leaves it polled. Context: init. */
MUST_CHECK int serial_input_use_interrupt(struct serial_input *input, unsigned isa_irq, const char *name);
