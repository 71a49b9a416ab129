/* What the race detector has to find (preset `kcsan`): a thread and a timer's interrupt add to one plain counter. */
#include <time/clock.h>
#include <time/timer.h>

#include "fault.h"

#define PERIOD_NS 100000u
#define PERIODS   2000u
#define AT_A_TIME 64u

static struct {
    struct timer timer;
    uint64_t plain;    /* the race */
    uint64_t marked;   /* none: marked on both sides */
    uint32_t nr_fired; /* [a] */
} race;

static NOINLINE void fault_add_in_interrupt(uint64_t *counter)
{
    *counter += 1;
}

static NOINLINE void fault_add_in_thread(uint64_t *counter)
{
    *counter += 1;
    COMPILER_BARRIER();
}

static void fire(struct timer *timer)
{
    fault_add_in_interrupt(&race.plain);
    WRITE_ONCE(race.marked, READ_ONCE(race.marked) + 1);
    if (__atomic_add_fetch(&race.nr_fired, 1, __ATOMIC_RELAXED) < PERIODS)
        timer_set(timer, clock_now_ns() + PERIOD_NS);
}

FAULT(data_race, 0, "data race between a thread and an interrupt, and none where both sides are marked")
{
    race.nr_fired = 0;
    timer_init(&race.timer, fire);
    timer_set(&race.timer, clock_now_ns() + PERIOD_NS);
    while (__atomic_load_n(&race.nr_fired, __ATOMIC_RELAXED) < PERIODS) {
        for (unsigned i = 0; i < AT_A_TIME; i++)
            fault_add_in_thread(&race.plain);
        (void)DATA_RACE(race.marked);
    }
    timer_cancel(&race.timer);
    return 0;
}
