#include "pic8259.h"

#include <cpu/io.h>
#include <cpu/trap_frame.h>

/* Intel 8259A datasheet, "Programming the 8259A". */
#define PIC1_COMMAND  0x20
#define PIC1_DATA     0x21
#define PIC2_COMMAND  0xa0
#define PIC2_DATA     0xa1
#define ICW1_INIT     0x11 /* edge triggered, cascaded, ICW4 follows */
#define ICW4_8086     0x01
#define PIC2_AT_IRQ2  0x04 /* a mask for the first, ... */
#define PIC2_IDENTITY 0x02 /* ... a number for the second */
#define MASK_ALL      0xff

void pic8259_disable(void)
{
    out8(PIC1_COMMAND, ICW1_INIT);
    out8(PIC2_COMMAND, ICW1_INIT);
    out8(PIC1_DATA, NR_EXCEPTIONS);
    out8(PIC2_DATA, NR_EXCEPTIONS + 8);
    out8(PIC1_DATA, PIC2_AT_IRQ2);
    out8(PIC2_DATA, PIC2_IDENTITY);
    out8(PIC1_DATA, ICW4_8086);
    out8(PIC2_DATA, ICW4_8086);
    out8(PIC1_DATA, MASK_ALL);
    out8(PIC2_DATA, MASK_ALL);
}
