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
};

/* Looks for a 16550 at this port and sets it to 115200 8N1, FIFO on, interrupts off. Returns 0, or -ENODEV with the
 * ports as they were. Context: init. */
MUST_CHECK int uart_probe(struct uart *uart, uint16_t base);

/* Sends the bytes; returns how many the device took. Context: as struct console's write. */
size_t uart_write(struct uart *uart, const char *bytes, size_t length);

/* The next received byte, or -EAGAIN. Context: any. */
int uart_read(struct uart *uart);

/* Raises the port's interrupt whenever a byte has been received. Context: init. */
void uart_enable_receive_interrupt(const struct uart *uart);

/* Reads what the interrupt was for, which ends it where nothing is to be read. Context: irq-off. */
void uart_acknowledge(const struct uart *uart);
