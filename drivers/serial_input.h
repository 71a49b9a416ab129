/* What a serial port has received: taken out of the device as it comes, by its interrupt where it has one, and kept
 * until it is read. BREAK and a letter within 5 s is a system request (docs/system-requests.md). */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <sync/spinlock.h>

#include "serial_break.h"
#include "uart_16550.h"

#define SERIAL_INPUT_MAX 4096u /* a power of two; more stays in the device */

struct irq;

struct serial_input {
    struct spinlock lock; /* "serial input"; interrupts take it */
    const char *name;     /* [I] of the port */
    struct uart *uart;    /* [I] */
    struct irq *irq;      /* [I] NULL where it is polled */
    uint8_t bytes[SERIAL_INPUT_MAX];
    uint32_t head, tail;         /* [l] written and read so far */
    struct serial_break request; /* [l] */
    uint64_t nr_overruns;        /* [l] times that the device lost bytes */
    uint64_t nr_damaged;         /* [l] bytes dropped */
    bool is_held;                /* [l] it must not interrupt, there being no room for what it may have */
    bool is_interrupting;        /* [l] an interrupt has come, and they have not stopped coming */
    bool is_told;                /* [l] that none comes */
    unsigned nr_excused;         /* [l] so many interrupts may find nothing: what they are for has been taken */
    unsigned nr_unannounced;     /* [l] reads in a row that found bytes no interrupt had told of */
};

void serial_input_init(struct serial_input *input, struct uart *uart, const char *name);

/* The next byte, or -EAGAIN. Says what went wrong with the line. Context: any but NMI. */
int serial_input_read(struct serial_input *input);

/* True while an interrupt tells of every byte: who waits for one may halt. Context: any but NMI. */
bool serial_input_is_announced(struct serial_input *input);

/* From here on the device interrupts when it has received something; until the first interrupt has come, and where none
 * does, it is polled as well. Returns 0 or the error of irq_request_isa, which leaves it polled. Context: init. */
MUST_CHECK int serial_input_use_interrupt(struct serial_input *input, unsigned isa_irq);
