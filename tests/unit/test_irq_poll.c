/* Lines that storm are polled from deferred work, never from the timer's function. */
#include "support/unit.h"

#include <irq/chip.h>
#include <irq/deferred.h>
#include <time/clock.h>
#include <time/irq_poll.h>
#include <time/timer.h>

static void (*start)(void);
static struct timer *queued;
static struct deferred *work;
static uint64_t now_ns, deadline;
static bool is_any, is_in_timer;
static unsigned nr_polls;

void irq_set_poller(void (*function)(void))
{
    start = function;
}

bool irq_poll_storming(void)
{
    assert_false(is_in_timer); /* it is under the lock of the timer's line */
    nr_polls++;
    return is_any;
}

void deferred_queue(struct deferred *deferred)
{
    work = deferred;
}

uint64_t clock_now_ns(void)
{
    return now_ns;
}

void timer_set(struct timer *timer, uint64_t deadline_ns)
{
    queued = timer;
    deadline = deadline_ns;
}

static void fire(void)
{
    struct timer *timer = queued;

    assert_non_null(timer);
    queued = NULL;
    now_ns = deadline;
    is_in_timer = true;
    timer->function(timer);
    is_in_timer = false;
}

static void run_work(void)
{
    struct deferred *deferred = work;

    assert_non_null(deferred);
    work = NULL;
    deferred->run(deferred);
}

static void polls_every_10_ms_while_there_is_a_storm(void **state)
{
    irq_poll_init();
    assert_null(queued);
    is_any = true;
    start();
    for (unsigned n = 1; n <= 5; n++) {
        uint64_t before = now_ns;

        fire();
        assert_int_equal(now_ns - before, 10 * NS_PER_MS);
        assert_int_equal(nr_polls, n - 1);
        assert_null(queued);
        run_work();
        assert_int_equal(nr_polls, n);
    }
    is_any = false;
    fire();
    run_work();
    assert_null(queued);
    assert_null(work);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(polls_every_10_ms_while_there_is_a_storm)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
