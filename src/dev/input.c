/* One ring between those who type, in interrupts or not, and console_try_read. Rather than a part of an escape sequence
 * or of a character, all of what does not fit is dropped. */
#include <dev/input.h>

#include <base/errno.h>
#include <debug/console.h>
#include <debug/log.h>
#include <sync/spinlock.h>

#define RING_SIZE 1024u /* a power of two: a minute of fast typing */

static struct spinlock lock = SPINLOCK_INITIALIZER("typed input");
static char ring[RING_SIZE]; /* [l] */
static size_t head, tail;    /* [l] written and read so far */
static uint64_t dropped;     /* [l] bytes */
static bool is_dropping;     /* [l] and was told */

void input_bytes(const char *bytes, size_t length)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);
    bool is_dropped = length > RING_SIZE - (head - tail), is_first = is_dropped && !is_dropping;

    is_dropping = is_dropped;
    dropped += is_dropped ? length : 0;
    for (size_t i = 0; i < length && !is_dropped; i++)
        ring[head++ % RING_SIZE] = bytes[i];
    spinlock_unlock_irqrestore(&lock, flags);
    console_input_arrived();
    if (is_first)
        log_warn("keyboard: nobody reads what is typed: more than %u bytes are dropped", RING_SIZE);
}

int input_try_read(void)
{
    uint64_t flags = spinlock_lock_irqsave(&lock);
    int byte = head == tail ? -EAGAIN : (unsigned char)ring[tail++ % RING_SIZE];

    spinlock_unlock_irqrestore(&lock, flags);
    return byte;
}

uint64_t input_dropped(void)
{
    uint64_t flags = spinlock_lock_irqsave(&lock), count = dropped;

    spinlock_unlock_irqrestore(&lock, flags);
    return count;
}
