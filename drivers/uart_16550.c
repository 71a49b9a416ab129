#include "uart_16550.h"

#include <base/errno.h>
#include <cpu/interrupts.h>
#include <cpu/io.h>
#include <hw/uart_16550.h>

/* Reads of the line status until a transmitter counts as stuck. A full FIFO is gone after 16 * 10 / 115200 s = 1.4 ms,
 * but an emulator or a terminal server holds the line for as long as its own reader is busy; a port read takes 0.1 us
 * (an emulator) to 1 us (LPC bus), so this is 0.2 to 2 s. */
#define WAIT_READS 2000000

/* Tries to be the one who reads the line status, about 10 ms; another one is done after two port reads. */
#define TAKE_TRIES 100000u

/* So many stuck waits in a row make a device dead: one may be a terminal server that blocks. */
#define TIMEOUTS_MAX 3

static uint8_t read_register(const struct uart *uart, uint16_t offset)
{
    return in8((uint16_t)(uart->base + offset));
}

static void write_register(const struct uart *uart, uint16_t offset, uint8_t value)
{
    out8((uint16_t)(uart->base + offset), value);
}

/* The device forgets a received byte's errors when the line status is read, also by who only wants to send. So to read
 * it and to keep the errors, or to take them with their byte, is one step for every other CPU and for this one's
 * interrupts. No spinlock: a panic writes, whoever it stopped in between, and so does an NMI, whomever it interrupted.
 * They lose some milliseconds, once. */
static uint64_t begin_status(struct uart *uart)
{
    uint64_t flags = irq_save();

    for (unsigned i = 0; i < TAKE_TRIES && __atomic_exchange_n(&uart->is_taken, true, __ATOMIC_ACQUIRE); i++)
        cpu_relax();
    return flags;
}

static void end_status(struct uart *uart, uint64_t flags)
{
    __atomic_store_n(&uart->is_taken, false, __ATOMIC_RELEASE);
    irq_restore(flags);
}

/* The line status; its errors are kept for who receives. Between begin_status and end_status. */
static uint8_t read_status_taken(struct uart *uart)
{
    uint8_t status = read_register(uart, UART_LSR);

    if (status != 0xff)
        uart->errors |= status & UART_LSR_ERRORS;
    return status;
}

static uint8_t read_status(struct uart *uart)
{
    uint64_t flags = begin_status(uart);
    uint8_t status = read_status_taken(uart);

    end_status(uart, flags);
    return status;
}

static bool wait_for(struct uart *uart, uint8_t status)
{
    for (unsigned i = 0; i < WAIT_READS; i++) {
        if (read_status(uart) & status)
            return true;
        cpu_relax();
    }
    return false;
}

static bool scratch_keeps(const struct uart *uart, uint8_t value)
{
    write_register(uart, UART_SCR, value);
    return read_register(uart, UART_SCR) == value;
}

/* An empty bus answers 0xff; the scratch register of a 16550 keeps what is written. */
static bool has_registers(const struct uart *uart)
{
    uint8_t scratch;
    bool found;

    if (read_register(uart, UART_LSR) == 0xff)
        return false;
    scratch = read_register(uart, UART_SCR);
    found = scratch_keeps(uart, 0x5a) && scratch_keeps(uart, 0xa5);
    write_register(uart, UART_SCR, scratch);
    return found;
}

/* In loopback the modem lines we set come back as the ones we would be told. */
static bool loops_back(const struct uart *uart)
{
    uint8_t control = read_register(uart, UART_MCR);
    uint8_t lines;

    write_register(uart, UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_RTS);
    lines = read_register(uart, UART_MSR) & UART_MSR_LINES;
    write_register(uart, UART_MCR, control);
    return lines == UART_MSR_RTS_OUT2;
}

static void set_line(const struct uart *uart)
{
    const uint16_t divisor = UART_CLOCK_BAUD / 115200;

    write_register(uart, UART_LCR, UART_LCR_8N1); /* IER hides behind DLAB */
    write_register(uart, UART_IER, 0);
    write_register(uart, UART_LCR, UART_LCR_DLAB | UART_LCR_8N1);
    write_register(uart, UART_DLL, (uint8_t)divisor);
    write_register(uart, UART_DLM, (uint8_t)(divisor >> 8));
    write_register(uart, UART_LCR, UART_LCR_8N1);
    write_register(uart, UART_MCR, UART_MCR_DTR | UART_MCR_RTS);
}

int uart_probe(struct uart *uart, uint16_t base)
{
    struct uart found = {.base = base, .fifo_depth = 1};

    if (!has_registers(&found) || !loops_back(&found))
        return -ENODEV;
    wait_for(&found, UART_LSR_IDLE); /* what the firmware sent last; without it we go on too */
    set_line(&found);
    write_register(&found, UART_FCR, UART_FCR_ENABLE | UART_FCR_CLEAR);
    if ((read_register(&found, UART_IIR) & UART_IIR_FIFO_ENABLED) == UART_IIR_FIFO_ENABLED)
        found.fifo_depth = UART_FIFO_DEPTH;
    else
        write_register(&found, UART_FCR, 0); /* the 16550 without A: its FIFO loses bytes */
    *uart = found;
    return 0;
}

/* Room for fifo_depth bytes. A dead device gets one look, so that it costs nothing and can come back. */
static bool wait_for_room(struct uart *uart)
{
    bool is_ready = uart->is_dead ? (read_status(uart) & UART_LSR_THR_FREE) != 0 : wait_for(uart, UART_LSR_THR_FREE);

    if (is_ready) {
        uart->nr_timeouts = 0;
        uart->is_dead = false;
    } else if (uart->nr_timeouts < TIMEOUTS_MAX) {
        uart->nr_timeouts++;
        uart->is_dead = uart->nr_timeouts == TIMEOUTS_MAX;
    }
    return is_ready;
}

size_t uart_write(struct uart *uart, const char *bytes, size_t length)
{
    size_t sent = 0;

    while (sent < length && wait_for_room(uart)) {
        size_t end = length - sent < uart->fifo_depth ? length : sent + uart->fifo_depth;
        while (sent < end)
            write_register(uart, UART_THR, (uint8_t)bytes[sent++]);
    }
    uart->bytes_lost += length - sent;
    return sent;
}

/* A byte with its errors; false where none has come. */
static bool take_received(struct uart *uart, uint8_t *byte, uint8_t *errors)
{
    uint64_t flags = begin_status(uart);
    uint8_t status = read_status_taken(uart);
    bool has_byte = status != 0xff && status & UART_LSR_DATA;

    if (has_byte) {
        *byte = read_register(uart, UART_RBR);
        *errors = uart->errors;
        uart->errors = 0;
    }
    end_status(uart, flags);
    return has_byte;
}

/* QEMU says BREAK before the bytes in front of it have been read, a 16550 with its own byte 0: what is not 0 is a byte.
 */
enum uart_received uart_receive(struct uart *uart, uint8_t *byte, bool *has_overrun)
{
    uint8_t errors = 0, value = 0;

    *has_overrun = false;
    if (!take_received(uart, &value, &errors))
        return UART_NOTHING;
    *has_overrun = (errors & UART_LSR_OVERRUN) != 0;
    uart->awaits_null |= (errors & UART_LSR_BREAK) != 0;
    if (uart->awaits_null && value == 0) {
        uart->awaits_null = false;
        return UART_BREAK;
    }
    if (!uart->awaits_null && errors & (UART_LSR_PARITY | UART_LSR_FRAMING))
        return UART_DAMAGED;
    *byte = value;
    return UART_BYTE;
}

/* OUT2 connects the port's interrupt line, on a PC (IBM PC/AT technical reference, serial adapter). That the
 * transmitter is free is a reason to interrupt at once. */
void uart_enable_interrupt(const struct uart *uart)
{
    write_register(uart, UART_MCR, UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT2);
    write_register(uart, UART_IER, UART_IER_RECEIVED | UART_IER_THR_FREE);
}

void uart_interrupt_on_receive_only(const struct uart *uart)
{
    write_register(uart, UART_IER, UART_IER_RECEIVED);
}

void uart_interrupt_on_nothing(const struct uart *uart)
{
    write_register(uart, UART_IER, 0);
}

bool uart_is_interrupting(const struct uart *uart)
{
    uint8_t reason = read_register(uart, UART_IIR);

    return reason != 0xff && !(reason & UART_IIR_NOTHING);
}
