/* Timers set, moved and cancelled by several CPUs at once: threads stand for them. Each has a queue of its own, as in
 * the kernel, so the source is compiled as part of this file. */
#include "support/unit.h"

#include <pthread.h>
#include <stdlib.h>

#include <base/compiler.h>
#undef PER_CPU
#define PER_CPU __thread
#include "../../src/time/timer.c"

#define CPUS   4
#define TIMERS 12
#define ROUNDS 40000

struct subject {
    struct timer *timer; /* made anew when it was cancelled */
    bool is_taken;       /* by who sets or cancels it: the callers' part of the contract */
};

/* What the timer's function looks at: an allocation, so that a run after the cancellation is found by the sanitizer. */
struct watched {
    struct timer timer;
    uint32_t nr_running;
    uint64_t nr_runs;
};

static struct subject subjects[TIMERS];
static uint64_t now_ns;
static pthread_barrier_t end;

uint64_t clock_now_ns(void)
{
    return __atomic_add_fetch(&now_ns, 1, __ATOMIC_RELAXED);
}

struct event_source *event_source_current(void)
{
    return NULL;
}

void event_program(uint64_t deadline_ns)
{
}

void clock_watch_later(void)
{
}

void event_shared_fired(struct event_source *source)
{
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static void run(struct timer *timer)
{
    struct watched *watched = CONTAINER_OF(timer, struct watched, timer);

    assert_int_equal(__atomic_add_fetch(&watched->nr_running, 1, __ATOMIC_SEQ_CST), 1); /* never twice at a time */
    watched->nr_runs++;
    if (watched->nr_runs % 3 == 0)
        timer_set(timer, clock_now_ns() + 50);
    sched_yield();
    __atomic_sub_fetch(&watched->nr_running, 1, __ATOMIC_SEQ_CST);
}

static struct timer *make(void)
{
    struct watched *watched = calloc(1, sizeof(*watched));

    timer_init(&watched->timer, run);
    return &watched->timer;
}

static void destroy(struct timer *timer)
{
    struct watched *watched = CONTAINER_OF(timer, struct watched, timer);

    (void)timer_cancel(timer);
    assert_int_equal(__atomic_load_n(&watched->nr_running, __ATOMIC_SEQ_CST), 0);
    assert_int_equal(timer->place, TIMER_NOWHERE);
    free(watched);
}

static void disturb(struct subject *subject, uint64_t random)
{
    if (__atomic_exchange_n(&subject->is_taken, true, __ATOMIC_ACQUIRE))
        return;
    if (random % 4 != 0) {
        timer_set(subject->timer, clock_now_ns() + random % 200);
    } else {
        destroy(subject->timer);
        subject->timer = make();
    }
    __atomic_store_n(&subject->is_taken, false, __ATOMIC_RELEASE);
}

static void *be_a_cpu(void *number)
{
    uint64_t state = (uintptr_t)number + 1;

    percpu.self = &percpu;
    percpu.cpu_number = (uint32_t)(uintptr_t)number;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t random = next_random(&state);

        disturb(&subjects[random % TIMERS], random / TIMERS);
        timer_poll();
    }
    pthread_barrier_wait(&end);
    /* The last thread's queue has to be there while others look at it. */
    for (unsigned i = 0; i < TIMERS; i++)
        if (percpu.cpu_number == i % CPUS)
            destroy(subjects[i].timer);
    pthread_barrier_wait(&end);
    assert_int_equal(timer_statistics().nr_queued, 0);
    assert_true(timer_statistics().nr_fired > 0);
    pthread_barrier_wait(&end);
    return NULL;
}

static void timers_of_all_cpus_run_once_at_a_time_and_never_after_they_were_cancelled(void **state)
{
    pthread_t cpus[CPUS];

    pthread_barrier_init(&end, NULL, CPUS);
    for (unsigned i = 0; i < TIMERS; i++)
        subjects[i].timer = make();
    for (uintptr_t i = 0; i < CPUS; i++)
        assert_int_equal(pthread_create(&cpus[i], NULL, be_a_cpu, (void *)i), 0);
    for (unsigned i = 0; i < CPUS; i++)
        pthread_join(cpus[i], NULL);
}

static void set_again(struct timer *timer)
{
    CONTAINER_OF(timer, struct watched, timer)->nr_runs++;
    timer_set(timer, clock_now_ns()); /* by the next look at the clock it is due */
}

static void a_timer_that_is_always_due_again_does_not_keep_the_cpu(void **state)
{
    struct watched watched = {.nr_runs = 0};

    percpu.self = &percpu;
    timer_init(&watched.timer, set_again);
    timer_set(&watched.timer, 0);
    timer_poll();
    assert_int_equal(watched.nr_runs, 1);
    timer_poll();
    assert_int_equal(watched.nr_runs, 2);
    assert_true(timer_cancel(&watched.timer));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_that_is_always_due_again_does_not_keep_the_cpu),
        cmocka_unit_test(timers_of_all_cpus_run_once_at_a_time_and_never_after_they_were_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
