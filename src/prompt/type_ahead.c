#include "type_ahead.h"

#include <base/errno.h>
#include <debug/console.h>

#define TYPE_AHEAD_MAX 4096u /* a power of two; more stays in the device, where flow control may hold it back */

/* The prompt's thread only. */
static struct {
    uint8_t bytes[TYPE_AHEAD_MAX];
    size_t head, tail; /* written and read so far; their difference is what is held */
} ring;                /* [prompt] */

void type_ahead_poll(void)
{
    while (ring.head - ring.tail < TYPE_AHEAD_MAX) {
        int byte = console_try_read();

        if (byte < 0)
            return;
        ring.bytes[ring.head++ % TYPE_AHEAD_MAX] = (uint8_t)byte;
    }
}

int type_ahead_read(void)
{
    type_ahead_poll();
    if (ring.head == ring.tail)
        return -EAGAIN;
    return ring.bytes[ring.tail++ % TYPE_AHEAD_MAX];
}
