/* Intel 8254 data sheet: mode 0, counting down, read by a latch command. */
#include "pit.h"

#include <cpu/io.h>

#define PIT_HZ       1193182u
#define CHANNEL_2    0x42
#define COMMAND      0x43
#define MODE0_BINARY 0xb0 /* channel 2, low then high byte */
#define STOP_0       0x32 /* channel 0, mode 1: starts when its gate rises, which on a PC is always high */
#define LATCH_2      0x80
#define PORT_B       0x61
#define PORT_B_GATE2 0x01
#define PORT_B_SOUND 0x02
#define POLLS_MAX    1000u

static uint64_t read_count(struct clock_source *source)
{
    uint8_t low, high;

    (void)source;
    out8(COMMAND, LATCH_2);
    low = in8(CHANNEL_2);
    high = in8(CHANNEL_2);
    return (uint16_t) ~(uint16_t)(high << 8 | low);
}

static struct clock_source pit = {.name = "PIT", .read = read_count, .mask = 0xffff, .frequency_hz = PIT_HZ};

struct clock_source *pit_start(void)
{
    uint64_t first;

    out8(PORT_B, (uint8_t)((in8(PORT_B) & ~PORT_B_SOUND) | PORT_B_GATE2));
    out8(COMMAND, MODE0_BINARY);
    out8(CHANNEL_2, 0xff);
    out8(CHANNEL_2, 0xff);
    first = read_count(&pit);
    for (unsigned i = 0; i < POLLS_MAX; i++)
        if (read_count(&pit) != first)
            return &pit;
    return NULL;
}

void pit_stop_ticks(void)
{
    out8(COMMAND, STOP_0);
}
