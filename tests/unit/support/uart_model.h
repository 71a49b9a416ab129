/* Four places for a 16550, and the kernel around the serial drivers: interrupts, consoles, log, clock, system requests.
 * The drivers are as power_on leaves them; what they did is in the variables. */
#pragma once

#include "unit.h"

#include <debug/console.h>
#include <irq/irq.h>

/* A 16550 as far as the driver sees it, or something else at its place. */
struct uart_model {
    enum { ABSENT, UART, UART_WITHOUT_FIFO, PORTS_THAT_KEEP, ZEROS } kind;
    uint16_t base;
    uint8_t ier, lcr, mcr, scr, fcr, divisor[2];
    bool is_stuck;    /* the transmitter never empties */
    unsigned busy;    /* status reads until it does */
    unsigned in_fifo; /* bytes written since it was last seen free */
    char sent[20000];
    size_t nr_sent, overruns;
    const char *received;
    size_t nr_received;
    uint8_t line_errors;        /* LSR bits that come with the next byte, and are forgotten when they are read */
    bool is_endless;            /* a broken device: a byte, with its errors, at every look */
    void (*after_status)(void); /* what happens right after the line status was read, where not NULL */
    bool has_thr_edge;          /* the transmitter is free, and nobody has been told */
};

extern struct uart_model models[4]; /* COM1 to COM4 */
extern unsigned long nr_reads;      /* of all ports */

extern irq_handler handlers[16]; /* by ISA interrupt */
extern void *contexts[16];
extern int irq_error; /* what claiming one gives, where not 0 */

extern char requested[16];            /* system requests so far */
extern uint64_t now_ns;               /* the clock */
extern struct console *registered[8]; /* in this order */
extern unsigned nr_registered;
extern char said[4000]; /* the log */

/* The machine with these kinds of device, and serial_init. */
void power_on(int com1, int com2, int com3, int com4);

/* NULL where it is not registered. */
struct console *console_named(const char *name);
int read_com1(void);

/* These bytes have come over COM1's line. */
void receives(const char *bytes, size_t length);

/* COM1's interrupt. */
enum irq_result interrupt(void);
