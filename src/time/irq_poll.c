/* The timer behind irq_set_poller: there only while a line is masked because of a storm. Its function runs under the
 * lock of the timer's own line, and other lines' locks come before that: so deferred work does the asking. */
#include <time/irq_poll.h>

#include <irq/chip.h>
#include <irq/deferred.h>
#include <time/clock.h>
#include <time/timer.h>

#define POLL_NS (10 * NS_PER_MS)

static void queue_poll(struct timer *timer);
static struct timer poll_timer = {.function = queue_poll};

static void start(void)
{
    timer_set(&poll_timer, clock_now_ns() + POLL_NS);
}

static void poll(struct deferred *deferred)
{
    (void)deferred;
    if (irq_poll_storming())
        start();
}

static struct deferred poll_work = DEFERRED_INITIALIZER(poll);

static void queue_poll(struct timer *timer)
{
    (void)timer;
    deferred_queue(&poll_work);
}

void irq_poll_init(void)
{
    irq_set_poller(start);
}
