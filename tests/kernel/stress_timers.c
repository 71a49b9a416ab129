/* Timers that are set on one CPU and moved or cancelled on another.
 *
 * Own timers belong to one thread at a time, which knows what must have become of them: set n times since the last
 * cancel, it has fired once to n times, or fewer by the one that cancel took back. Shared ones are set, set again by
 * their function, and cancelled by all without regard: their function must not run twice at a time. */
#include <time/clock.h>
#include <time/timer.h>

#include "stress.h"

#define OWN         12u
#define SHARED      4u
#define DELAY_NS    (300 * NS_PER_US)
#define AFTER_NS    (5 * NS_PER_MS) /* a timer that was not cancelled would have fired */
#define SPINS       20u
#define AGAIN_EVERY 4u

struct stress_timer {
    struct timer timer;
    uint32_t is_taken;     /* [a] by the thread whose it is, of an own timer */
    uint32_t is_running;   /* [a] */
    uint64_t nr_fired;     /* [a] */
    uint64_t nr_set;       /* [t] since the last cancel; t: who has taken it */
    uint64_t fired_before; /* [t] nr_fired then */
};

static struct stress_timer own[OWN], shared[SHARED];

static uint64_t fired(const struct stress_timer *timer)
{
    return __atomic_load_n(&timer->nr_fired, __ATOMIC_ACQUIRE); /* pairs with run_timer */
}

static void run_timer(struct stress_timer *timer)
{
    if (__atomic_exchange_n(&timer->is_running, 1, __ATOMIC_ACQ_REL) != 0)
        stress_fail("timers: a function runs twice at a time");
    for (unsigned i = 0; i < SPINS; i++)
        COMPILER_BARRIER();
    __atomic_fetch_add(&timer->nr_fired, 1, __ATOMIC_RELEASE);
    __atomic_store_n(&timer->is_running, 0, __ATOMIC_RELEASE);
}

static void run_own(struct timer *timer)
{
    run_timer(CONTAINER_OF(timer, struct stress_timer, timer));
}

static void run_shared(struct timer *timer)
{
    struct stress_timer *one = CONTAINER_OF(timer, struct stress_timer, timer);

    run_timer(one);
    if (fired(one) % AGAIN_EVERY != 0)
        timer_set(timer, clock_now_ns() + DELAY_NS / 2);
}

static int begin_timers(struct stress *stress)
{
    (void)stress;
    for (unsigned i = 0; i < OWN; i++) {
        own[i] = (struct stress_timer){.nr_set = 0};
        timer_init(&own[i].timer, run_own);
    }
    for (unsigned i = 0; i < SHARED; i++) {
        shared[i] = (struct stress_timer){.nr_set = 0};
        timer_init(&shared[i].timer, run_shared);
    }
    return 0;
}

/* Now and then it is due before it is set. */
static void set(struct stress_timer *timer, struct stress_worker *worker)
{
    timer_set(&timer->timer, clock_now_ns() + stress_roll(worker, DELAY_NS) - DELAY_NS / 10);
}

static void set_own(struct stress_timer *timer, struct stress_worker *worker)
{
    timer->nr_set++;
    set(timer, worker);
}

static void cancel_own(struct stress_timer *timer)
{
    bool is_taken_back = timer_cancel(&timer->timer);
    uint64_t nr_fired = fired(timer) - timer->fired_before, nr = nr_fired + is_taken_back;

    if (__atomic_load_n(&timer->is_running, __ATOMIC_ACQUIRE))
        stress_fail("timers: the function runs after the cancel");
    if (nr > timer->nr_set || (nr == 0 && timer->nr_set > 0))
        stress_fail("timers: set %lu times, fired %lu times, %s", timer->nr_set, nr_fired,
                    is_taken_back ? "and taken back" : "not taken back");
    timer->nr_set = 0;
    timer->fired_before += nr_fired;
}

static void use_own(struct stress_worker *worker)
{
    struct stress_timer *timer = &own[stress_roll(worker, OWN)];

    if (__atomic_exchange_n(&timer->is_taken, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    if (stress_roll(worker, 3) == 0)
        cancel_own(timer);
    else if (stress_errs(worker))
        set(timer, worker); /* not counted: as if a cancel had left it set */
    else
        set_own(timer, worker);
    __atomic_store_n(&timer->is_taken, 0, __ATOMIC_RELEASE); /* pairs with the exchange */
}

static void use_shared(struct stress_worker *worker)
{
    struct stress_timer *timer = &shared[stress_roll(worker, SHARED)];

    if (stress_roll(worker, 3) == 0)
        (void)timer_cancel(&timer->timer);
    else
        set(timer, worker);
}

static void work_timers(struct stress_worker *worker)
{
    if (stress_roll(worker, 4) == 0)
        use_shared(worker);
    else
        use_own(worker);
}

static uint64_t fired_in_all(void)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < OWN; i++)
        sum += fired(&own[i]);
    for (unsigned i = 0; i < SHARED; i++)
        sum += fired(&shared[i]);
    return sum;
}

static void end_timers(struct stress *stress)
{
    uint64_t before;

    (void)stress;
    for (unsigned i = 0; i < OWN; i++)
        cancel_own(&own[i]);
    for (unsigned i = 0; i < SHARED; i++)
        (void)timer_cancel(&shared[i].timer);
    before = fired_in_all();
    if (before == 0)
        stress_fail("timers: none has fired");
    sleep_ns(AFTER_NS);
    if (fired_in_all() != before)
        stress_fail("timers: one fired after its cancel");
}

const struct stress_kind stress_timers = {
    .name = "timers", .begin = begin_timers, .work = work_timers, .end = end_timers};
