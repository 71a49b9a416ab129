/* The timer behind irq_set_poller: there only while a line is masked because of a storm. */
#include <time/irq_poll.h>

#include <irq/chip.h>
#include <time/clock.h>
#include <time/timer.h>

#define POLL_NS (10 * NS_PER_MS)

static void poll(struct timer *timer)
{
    if (irq_poll_storming())
        timer_set(timer, clock_now_ns() + POLL_NS);
}

static struct timer poll_timer = {.function = poll};

static void start(void)
{
    timer_set(&poll_timer, clock_now_ns() + POLL_NS);
}

void irq_poll_init(void)
{
    irq_set_poller(start);
}
