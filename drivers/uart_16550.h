/* One 16550, polled. Nothing here waits without a bound: a device that never answers is marked dead and skipped. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

struct uart {
    uint16_t base;       /* [I] port */
    uint8_t fifo_depth;  /* [I] bytes that fit once the transmitter is free */
    uint8_t nr_timeouts; /* [console lock] in a row */
    bool is_dead;        /* [console lock] does not take bytes */
    uint64_t bytes_lost; /* [console lock] while it was dead */
    bool is_taken;       /* [a] the line status and the errors are one CPU's */
    uint8_t errors;      /* [is_taken] of the next byte received, seen by who looked at the line status to send */
    bool awaits_null;    /* [reader's lock] the byte 0 that comes with a BREAK */
};

/* What came over the line. */
enum uart_received {
    UART_NOTHING,
    UART_BYTE,
    UART_BREAK,
    UART_DAMAGED, /* a byte with a framing or parity error, not to be believed */
};

/* Looks for a 16550 at this port and sets it to 115200 8N1, FIFO on, interrupts off. Returns 0, or -ENODEV with the
 * ports as they were. Context: init. */
MUST_CHECK int uart_probe(struct uart *uart, uint16_t base);

/* Sends the bytes; returns how many the device took. Context: as struct console's write. */
size_t uart_write(struct uart *uart, const char *bytes, size_t length);

/* The next thing received; *byte is set with UART_BYTE, *has_overrun always: bytes before it were lost. Context: any;
 * one caller at a time. */
enum uart_received uart_receive(struct uart *uart, uint8_t *byte, bool *has_overrun);

/* Interrupts whenever a byte has been received and, once, without one, so that one sees whether they come. Context:
 * init. */
void uart_enable_interrupt(const struct uart *uart);

/* From the first interrupt on: when a byte has been received, and not otherwise. Context: irq-off. */
void uart_interrupt_on_receive_only(const struct uart *uart);

/* Lets go of the interrupt line until uart_interrupt_on_receive_only, which interrupts for what has come meanwhile.
 * Context: irq-off. */
void uart_interrupt_on_nothing(const struct uart *uart);

/* True where the device has a reason to interrupt. Looking takes away the one that no byte has to do with. Context:
 * irq-off. */
bool uart_is_interrupting(const struct uart *uart);
