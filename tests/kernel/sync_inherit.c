/* Priority inheritance, measured by who comes when on one CPU. */
#include <base/errno.h>
#include <cpu/cpu_mask.h>
#include <debug/test.h>
#include <sched/thread.h>
#include <sync/mutex.h>
#include <sync/semaphore.h>
#include <time/clock.h>

#include "sync_team.h"

#define LOW  10u
#define MID  20u
#define HIGH 30u

static struct mutex mutexes[2] = {MUTEX_INITIALIZER("inherit 0"), MUTEX_INITIALIZER("inherit 1")};
static struct thread *threads[4];
static char events[16];
static uint32_t nr_events; /* [a] */
static int error;

static void note(char event)
{
    events[__atomic_fetch_add(&nr_events, 1, __ATOMIC_RELAXED) % sizeof(events)] = event;
}

/* A FIFO thread that stays on the first CPU. */
static void start(unsigned slot, unsigned priority, thread_function function)
{
    struct cpu_mask first;
    int failed;

    cpu_mask_clear_all(&first);
    cpu_mask_set(&first, 0);
    failed = thread_create(
        &threads[slot],
        &(struct thread_options){.name = "inherits", .class = SCHED_FIFO, .priority = priority, .affinity = &first},
        function, NULL);
    if (failed)
        error = failed;
}

static int want_first(void *argument)
{
    (void)argument;
    mutex_lock(&mutexes[0]);
    note('H');
    mutex_unlock(&mutexes[0]);
    return 0;
}

static int work_in_between(void *argument)
{
    (void)argument;
    start(0, HIGH, want_first);
    note('m'); /* comes back only when HIGH has had what it waited for */
    return 0;
}

/* Each start is a preemption: LOW, which has the mutex, by MID, and that by HIGH, which wants it. */
static int hold_first(void *argument)
{
    (void)argument;
    mutex_lock(&mutexes[0]);
    start(1, MID, work_in_between);
    note('l');
    mutex_unlock(&mutexes[0]);
    note('L');
    return 0;
}

static void join(unsigned nr_threads)
{
    for (unsigned i = nr_threads; i-- > 0;)
        (void)thread_join(threads[i], NULL);
}

KERNEL_TEST(inversion, "sync/a_thread_in_between_does_not_delay_who_waits")
{
    error = 0;
    nr_events = 0;
    start(2, LOW, hold_first);
    EXPECT_EQ(error, 0);
    join(3);
    EXPECT_EQ(error, 0);
    EXPECT_EQ(nr_events, 4);
    EXPECT(events[0] == 'l' && events[1] == 'H' && events[2] == 'm' && events[3] == 'L');
}

/* A chain: HIGH waits for the second, whose owner waits for the first, whose owner gets HIGH's urgency. */
static struct semaphore is_held, may_go;

static int hold_first_for_long(void *argument)
{
    (void)argument;
    mutex_lock(&mutexes[0]);
    semaphore_post(&is_held);
    semaphore_wait(&may_go);
    mutex_unlock(&mutexes[0]);
    return thread_urgency(thread_current()) == 40 + LOW ? 0 : 1;
}

static int hold_second_and_want_first(void *argument)
{
    (void)argument;
    mutex_lock(&mutexes[1]);
    mutex_lock(&mutexes[0]);
    mutex_unlock(&mutexes[0]);
    mutex_unlock(&mutexes[1]);
    return thread_urgency(thread_current()) == 40 + MID ? 0 : 1;
}

static bool is_enough; /* [a] */

/* Its time is over again and again. */
static int want_second_for_a_while(void *argument)
{
    (void)argument;
    while (!__atomic_load_n(&is_enough, __ATOMIC_RELAXED))
        if (mutex_lock_until(&mutexes[1], clock_now_ns() + NS_PER_MS) == 0)
            mutex_unlock(&mutexes[1]);
    return 0;
}

static int want_second(void *argument)
{
    (void)argument;
    mutex_lock(&mutexes[1]);
    mutex_unlock(&mutexes[1]);
    return 0;
}

static void await_urgency(const struct thread *thread, unsigned urgency)
{
    while (thread_urgency(thread) != urgency)
        thread_yield();
}

KERNEL_TEST(chain, "sync/urgency_is_passed_on_and_given_back")
{
    int codes = 0, code;

    error = 0;
    is_enough = false;
    semaphore_init(&is_held, 0, "is held");
    semaphore_init(&may_go, 0, "may go");
    start(0, LOW, hold_first_for_long);
    EXPECT_EQ(error, 0);
    semaphore_wait(&is_held);
    start(1, MID, hold_second_and_want_first);
    EXPECT_EQ(error, 0);
    await_urgency(threads[0], 40 + MID);
    start(2, HIGH, want_second_for_a_while);
    EXPECT_EQ(error, 0);
    await_urgency(threads[0], 40 + HIGH);
    __atomic_store_n(&is_enough, true, __ATOMIC_RELAXED);
    EXPECT_EQ(thread_join(threads[2], NULL), 0);
    EXPECT_EQ(thread_urgency(threads[0]), 40 + MID);
    EXPECT_EQ(thread_urgency(threads[1]), 40 + MID);
    start(2, HIGH, want_second);
    await_urgency(threads[0], 40 + HIGH);
    EXPECT_EQ(thread_set_class(threads[2], SCHED_FIFO, HIGH + 5), 0); /* who waits has become more urgent */
    EXPECT_EQ(thread_urgency(threads[0]), 40 + HIGH + 5);
    semaphore_post(&may_go);
    for (unsigned i = 3; i-- > 0;) {
        EXPECT_EQ(thread_join(threads[i], &code), 0);
        codes += code;
    }
    EXPECT_EQ(codes, 0);
}

/* Two that wait for each other, with deadlines: nobody loops, and both come free. */
static int cross(void *argument)
{
    unsigned mine = argument ? 1 : 0;
    int result;

    mutex_lock(&mutexes[mine]);
    semaphore_post(&is_held);
    semaphore_wait(&may_go);
    result = mutex_lock_until(&mutexes[1 - mine], clock_now_ns() + 5 * NS_PER_MS);
    if (result == 0)
        mutex_unlock(&mutexes[1 - mine]);
    mutex_unlock(&mutexes[mine]);
    return result == -ETIMEDOUT;
}

KERNEL_TEST(circle, "sync/a_circle_of_waiters_ends_with_their_deadlines")
{
    int codes = 0, code;

    semaphore_init(&is_held, 0, "is held");
    semaphore_init(&may_go, 0, "may go");
    for (uintptr_t i = 0; i < 2; i++) {
        EXPECT_EQ(thread_create(&threads[i], NULL, cross, (void *)i), 0);
        semaphore_wait(&is_held);
    }
    semaphore_post(&may_go);
    semaphore_post(&may_go);
    team_await_wait(threads[0], WAIT_MUTEX);
    EXPECT_EQ(thread_set_class(threads[0], SCHED_FIFO, HIGH), 0); /* passed on round the circle once */
    for (unsigned i = 0; i < 2; i++) {
        EXPECT_EQ(thread_join(threads[i], &code), 0);
        codes += code;
    }
    EXPECT(codes >= 1);
    EXPECT(!mutex_owner(&mutexes[0]) && !mutex_owner(&mutexes[1]));
}
