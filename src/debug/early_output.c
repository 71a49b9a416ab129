/* Output that needs nothing: no console, no memory, no lock. COM1 as the firmware left it (or set to 8n1 where it
 * answers), and QEMU's and Bochs's debug port. */
#include "report_output.h"

#include <cpu/io.h>

#define COM1             0x3f8
#define LINE_STATUS      5 /* offset of the register (16550D datasheet, 8.6.3) */
#define TRANSMITTER_FREE 0x20
#define DEBUG_PORT       0xe9
#define WAIT_READS       20000 /* a character at 9600 baud takes a millisecond */

static bool is_com1_dead; /* [I] before there are other CPUs; or of a CPU that can do nothing else any more */

static void com1_write(uint8_t byte)
{
    if (is_com1_dead)
        return;
    for (int i = 0; i < WAIT_READS; i++) {
        uint8_t status = in8(COM1 + LINE_STATUS);

        if (status == 0xff)
            break; /* nothing decodes the port */
        if (status & TRANSMITTER_FREE) {
            out8(COM1, byte);
            return;
        }
    }
    is_com1_dead = true;
}

void early_write(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        out8(DEBUG_PORT, (uint8_t)bytes[i]);
        if (bytes[i] == '\n')
            com1_write('\r');
        com1_write((uint8_t)bytes[i]);
    }
}
