#include <base/assert.h>
#include <cpu/interrupts.h>
#include <irq/deferred.h>
#include <time/clock.h>
#include <time/source.h>
#include <time/timer.h>

struct sleeper {
    struct timer timer;
    bool is_over; /* [a] */
};

static void wake(struct timer *timer)
{
    __atomic_store_n(&CONTAINER_OF(timer, struct sleeper, timer)->is_over, true, __ATOMIC_RELEASE);
}

/* Nothing can wake us: look at the clock. */
static void poll_until(uint64_t deadline_ns)
{
    while (clock_now_ns() < deadline_ns) {
        timer_poll();
        irq_disable();
        deferred_run();
        irq_enable();
        cpu_relax();
    }
}

void sleep_until_ns(uint64_t deadline_ns)
{
    struct sleeper sleeper = {0};

    ASSERT(irqs_are_enabled());
    if (!event_source_current()) {
        poll_until(deadline_ns);
        return;
    }
    timer_init(&sleeper.timer, wake);
    timer_set(&sleeper.timer, deadline_ns);
    irq_disable();
    while (!__atomic_load_n(&sleeper.is_over, __ATOMIC_ACQUIRE)) {
        timer_settle();
        cpu_halt(); /* no interrupt between sti and hlt: the wake-up is not lost */
        irq_disable();
    }
    irq_enable();
}

void sleep_ns(uint64_t delay_ns)
{
    uint64_t now = clock_now_ns();

    sleep_until_ns(delay_ns > UINT64_MAX - now ? UINT64_MAX - 1 : now + delay_ns);
}
