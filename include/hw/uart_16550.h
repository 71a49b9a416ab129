/* Registers of the 16550 UART (National Semiconductor PC16550D data sheet, table II), as offsets from its base port. */
#pragma once

#define UART_RBR 0 /* read: received byte */
#define UART_THR 0 /* write: byte to send */
#define UART_DLL 0 /* divisor, low byte, with UART_LCR_DLAB */
#define UART_IER 1
#define UART_DLM 1 /* divisor, high byte, with UART_LCR_DLAB */
#define UART_IIR 2 /* read */
#define UART_FCR 2 /* write */
#define UART_LCR 3
#define UART_MCR 4
#define UART_LSR 5
#define UART_MSR 6
#define UART_SCR 7

#define UART_IER_RECEIVED     0x01
#define UART_IER_THR_FREE     0x02
#define UART_IIR_NOTHING      0x01 /* no interrupt is pending */
#define UART_IIR_FIFO_ENABLED 0xc0 /* both bits: a FIFO that works (16550A on) */

#define UART_FCR_ENABLE 0x01
#define UART_FCR_CLEAR  0x06 /* both directions */

#define UART_LCR_8N1  0x03
#define UART_LCR_DLAB 0x80

#define UART_MCR_DTR  0x01
#define UART_MCR_RTS  0x02
#define UART_MCR_OUT2 0x08
#define UART_MCR_LOOP 0x10

/* In loopback RTS, DTR, OUT1 and OUT2 show up as CTS, DSR, RI and DCD. */
#define UART_MSR_LINES    0xf0
#define UART_MSR_RTS_OUT2 0x90

#define UART_LSR_DATA     0x01
#define UART_LSR_OVERRUN  0x02 /* bytes before this one were lost */
#define UART_LSR_PARITY   0x04
#define UART_LSR_FRAMING  0x08
#define UART_LSR_BREAK    0x10 /* the line was held low for longer than a byte takes; comes with a byte 0 */
#define UART_LSR_ERRORS   0x1e /* of the byte that is read next; reading the register clears them */
#define UART_LSR_THR_FREE 0x20
#define UART_LSR_IDLE     0x40 /* THR and the shift register are empty */

#define UART_FIFO_DEPTH 16
#define UART_CLOCK_BAUD 115200 /* of the PC's 1.8432 MHz crystal, divided by 16 */
