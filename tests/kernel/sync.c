/* The sleeping locks and queues, with as many threads as it takes, on however many CPUs there are. */
#include <base/errno.h>
#include <debug/test.h>
#include <mm/fail_inject.h>
#include <sched/thread.h>
#include <smp/cpu.h>
#include <sync/completion.h>
#include <sync/mutex.h>
#include <sync/once.h>
#include <sync/refcount.h>
#include <sync/rwlock.h>
#include <sync/semaphore.h>
#include <sync/seqlock.h>
#include <sync/wait_queue.h>
#include <time/clock.h>
#include <time/timer.h>

#include "sync_team.h"

#define TURNS 300

static struct mutex mutex = MUTEX_INITIALIZER("sync test");
static uint64_t inside, total; /* under the mutex, or whatever is tested */

/* ---- mutual exclusion ---- */

static int take_turns_with_mutex(void *argument)
{
    int nr_wrong = 0;

    (void)argument;
    for (unsigned i = 0; i < TURNS; i++) {
        mutex_lock(&mutex);
        nr_wrong += inside++ != 0;
        if (i % 16 == 0)
            thread_yield(); /* let others queue up */
        total++;
        inside--;
        mutex_unlock(&mutex);
    }
    return nr_wrong;
}

KERNEL_TEST(mutex_excludes, "sync/mutex_excludes_under_contention")
{
    int nr_wrong;

    total = 0;
    EXPECT_EQ(team_run(take_turns_with_mutex, NULL, &nr_wrong), 0);
    EXPECT_EQ(nr_wrong, 0);
    EXPECT_EQ(total, TEAM_SIZE * TURNS);
    EXPECT(!mutex_owner(&mutex));
}

static int try_and_time_out(void *argument)
{
    int nr_wrong = 0;

    (void)argument;
    for (unsigned i = 0; i < TURNS / 10; i++) {
        if (i % 2 ? !mutex_try_lock(&mutex) : mutex_lock_until(&mutex, clock_now_ns() + 20 * NS_PER_US) != 0)
            continue;
        nr_wrong += inside++ != 0;
        thread_yield();
        inside--;
        mutex_unlock(&mutex);
    }
    return nr_wrong;
}

KERNEL_TEST(mutex_times_out, "sync/mutex_excludes_when_waiters_give_up")
{
    int nr_wrong;

    EXPECT_EQ(team_run(try_and_time_out, NULL, &nr_wrong), 0);
    EXPECT_EQ(nr_wrong, 0);
    EXPECT(!mutex_owner(&mutex) && thread_urgency(thread_current()) == 20);
}

static struct rwlock rwlock = RWLOCK_INITIALIZER("sync test");
static uint64_t pair[2];

static int read_and_write(void *argument)
{
    int nr_wrong = 0;

    (void)argument;
    for (unsigned i = 0; i < TURNS; i++) {
        if (i % 8 == 0) {
            uint64_t flags = rwlock_write_lock_irqsave(&rwlock);

            pair[0]++;
            nr_wrong += pair[1] != pair[0] - 1;
            pair[1]++;
            rwlock_write_unlock_irqrestore(&rwlock, flags);
        } else {
            rwlock_read_lock(&rwlock);
            nr_wrong += pair[0] != pair[1];
            rwlock_read_unlock(&rwlock);
        }
    }
    return nr_wrong;
}

KERNEL_TEST(rwlock_excludes, "sync/rwlock_readers_and_writers")
{
    int nr_wrong;

    pair[0] = pair[1] = 0;
    EXPECT_EQ(team_run(read_and_write, NULL, &nr_wrong), 0);
    EXPECT_EQ(nr_wrong, 0);
    EXPECT_EQ(pair[0], TEAM_SIZE * ((TURNS + 7) / 8));
}

static struct seqlock seqlock = SEQLOCK_INITIALIZER("sync test");

static void write_pair(uint64_t value)
{
    seqlock_write_lock(&seqlock);
    WRITE_ONCE(pair[0], value);
    WRITE_ONCE(pair[1], value);
    seqlock_write_unlock(&seqlock);
}

static int read_pairs(void *argument)
{
    int nr_wrong = 0;

    for (unsigned i = 0; i < TURNS; i++) {
        uint64_t first, second;
        uint32_t start;

        if (argument && i % 4 == 0)
            write_pair(i);
        do {
            start = seqlock_read_begin(&seqlock);
            first = READ_ONCE(pair[0]);
            second = READ_ONCE(pair[1]);
        } while (seqlock_read_retry(&seqlock, start));
        nr_wrong += first != second;
    }
    return nr_wrong;
}

KERNEL_TEST(seqlock_whole, "sync/seqlock_readers_see_whole_writes")
{
    int nr_wrong;

    pair[0] = pair[1] = 0;
    EXPECT_EQ(team_run(read_pairs, &seqlock, &nr_wrong), 0);
    EXPECT_EQ(nr_wrong, 0);
}

static struct refcount references;

static int get_and_put(void *argument)
{
    int nr_last = 0;

    (void)argument;
    for (unsigned i = 0; i < TURNS; i++) {
        refcount_get(&references);
        nr_last += refcount_put(&references);
    }
    return nr_last + refcount_put(&references);
}

KERNEL_TEST(refcount_last, "sync/refcount_has_one_last")
{
    int nr_last;

    refcount_set(&references, TEAM_SIZE);
    EXPECT_EQ(team_run(get_and_put, NULL, &nr_last), 0);
    EXPECT_EQ(nr_last, 1);
    EXPECT(!refcount_get_unless_zero(&references));
}

/* ---- waking ---- */

static struct semaphore to, from;

static int answer(void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < TURNS; i++) {
        semaphore_wait(&to);
        semaphore_post(&from);
    }
    return 0;
}

KERNEL_TEST(ping_pong, "sync/semaphore_ping_pong")
{
    struct thread *partner;

    semaphore_init(&to, 0, "to");
    semaphore_init(&from, 0, "from");
    EXPECT_EQ(thread_create(&partner, NULL, answer, NULL), 0);
    for (unsigned i = 0; i < TURNS; i++) {
        semaphore_post(&to);
        semaphore_wait(&from);
    }
    EXPECT_EQ(thread_join(partner, NULL), 0);
    EXPECT(semaphore_permits(&to) == 0 && semaphore_permits(&from) == 0);
}

static struct semaphore turnstile;
static struct wait_queue queue;
static uint32_t tokens, nr_through; /* [a] */
static unsigned order[TEAM_SIZE];   /* who came through, in order */

static void note_through(uintptr_t number)
{
    order[__atomic_load_n(&nr_through, __ATOMIC_RELAXED)] = (unsigned)number;
    __atomic_fetch_add(&nr_through, 1, __ATOMIC_RELEASE);
}

static int pass_turnstile(void *number)
{
    semaphore_wait(&turnstile);
    note_through((uintptr_t)number);
    return 0;
}

static bool take_token(void)
{
    uint32_t seen = __atomic_load_n(&tokens, __ATOMIC_RELAXED);

    while (seen > 0)
        if (__atomic_compare_exchange_n(&tokens, &seen, seen - 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            return true;
    return false;
}

static int take_token_in_turn(void *number)
{
    wait_queue_wait_exclusive(&queue, take_token());
    note_through((uintptr_t)number);
    return 0;
}

static void add_token(void)
{
    __atomic_fetch_add(&tokens, 1, __ATOMIC_RELEASE);
    wait_queue_wake_one(&queue);
}

static void post_turnstile(void)
{
    semaphore_post(&turnstile);
}

/* Threads that wait one after the other are let through in that order. */
static void check_order(thread_function wait, enum thread_wait reason, void (*let_one)(void))
{
    struct thread *threads[TEAM_SIZE];

    nr_through = tokens = 0;
    for (uintptr_t i = 0; i < TEAM_SIZE; i++) {
        EXPECT_EQ(thread_create(&threads[i], NULL, wait, (void *)i), 0);
        team_await_wait(threads[i], reason);
    }
    for (uint32_t i = 0; i < TEAM_SIZE; i++) {
        EXPECT_EQ(__atomic_load_n(&nr_through, __ATOMIC_ACQUIRE), i);
        let_one();
        while (__atomic_load_n(&nr_through, __ATOMIC_ACQUIRE) == i)
            thread_yield();
    }
    for (unsigned i = 0; i < TEAM_SIZE; i++) {
        EXPECT_EQ(thread_join(threads[i], NULL), 0);
        EXPECT_EQ(order[i], i);
    }
}

KERNEL_TEST(semaphore_order, "sync/semaphore_serves_in_order")
{
    semaphore_init(&turnstile, 0, "turnstile");
    check_order(pass_turnstile, WAIT_SEMAPHORE, post_turnstile);
}

KERNEL_TEST(wake_one_order, "sync/wake_one_wakes_in_order")
{
    wait_queue_init(&queue, "tokens");
    check_order(take_token_in_turn, WAIT_QUEUE, add_token);
    EXPECT(!wait_queue_has_waiters(&queue));
}

static int await_token_or_end(void *argument)
{
    (void)argument;
    wait_queue_wait(&queue, __atomic_load_n(&tokens, __ATOMIC_ACQUIRE) != 0);
    return 1;
}

KERNEL_TEST(wake_all, "sync/wake_all_wakes_all")
{
    struct thread *threads[TEAM_SIZE];
    int code;

    wait_queue_init(&queue, "event");
    tokens = 0;
    for (unsigned i = 0; i < TEAM_SIZE; i++) {
        EXPECT_EQ(thread_create(&threads[i], NULL, await_token_or_end, NULL), 0);
        team_await_wait(threads[i], WAIT_QUEUE);
    }
    wait_queue_wake_all(&queue); /* for nothing: the condition is false */
    __atomic_store_n(&tokens, 1, __ATOMIC_RELEASE);
    wait_queue_wake_all(&queue);
    for (unsigned i = 0; i < TEAM_SIZE; i++) {
        EXPECT_EQ(thread_join(threads[i], &code), 0);
        EXPECT_EQ(code, 1);
    }
}

struct alarm {
    struct timer timer;
    struct completion rung;
};

static void ring(struct timer *timer)
{
    completion_complete(&CONTAINER_OF(timer, struct alarm, timer)->rung);
}

/* The completion lies on this stack, which is used again at once. */
static NOINLINE void await_alarm(void)
{
    struct alarm alarm;

    completion_init(&alarm.rung, "alarm");
    timer_init(&alarm.timer, ring);
    timer_set(&alarm.timer, clock_now_ns() + NS_PER_MS);
    completion_wait(&alarm.rung);
    timer_cancel(&alarm.timer);
}

KERNEL_TEST(from_interrupt, "sync/completed_from_an_interrupt")
{
    for (unsigned i = 0; i < 20; i++)
        await_alarm();
}

static int await_event(void *completion)
{
    completion_wait(completion);
    return 1;
}

KERNEL_TEST(completion_reuse, "sync/completion_counts_and_is_used_again")
{
    struct completion done;
    struct thread *threads[2];

    completion_init(&done, "done");
    completion_complete(&done);
    completion_complete(&done);
    completion_wait(&done);
    EXPECT(completion_is_done(&done));
    completion_reset(&done);
    EXPECT(!completion_is_done(&done));
    for (unsigned i = 0; i < 2; i++) {
        EXPECT_EQ(thread_create(&threads[i], NULL, await_event, &done), 0);
        team_await_wait(threads[i], WAIT_COMPLETION);
    }
    completion_complete_all(&done);
    for (unsigned i = 0; i < 2; i++)
        EXPECT_EQ(thread_join(threads[i], NULL), 0);
    completion_wait(&done); /* for all to come */
    completion_complete(&done);
    completion_reset(&done);
    EXPECT_EQ(completion_wait_until(&done, clock_now_ns() + NS_PER_MS), (uint64_t)-ETIMEDOUT);
}

static int hold_mutex_until_posted(void *argument)
{
    (void)argument;
    mutex_lock(&mutex);
    semaphore_post(&from);
    semaphore_wait(&to);
    mutex_unlock(&mutex);
    return 0;
}

KERNEL_TEST(deadlines, "sync/waits_end_at_their_deadlines")
{
    uint64_t deadline;
    struct thread *holder;

    semaphore_init(&to, 0, "to");
    semaphore_init(&from, 0, "from");
    wait_queue_init(&queue, "nothing");
    EXPECT_EQ(thread_create(&holder, NULL, hold_mutex_until_posted, NULL), 0);
    semaphore_wait(&from);
    deadline = clock_now_ns() + 2 * NS_PER_MS;
    EXPECT_EQ(mutex_lock_until(&mutex, deadline), (uint64_t)-ETIMEDOUT);
    EXPECT(clock_now_ns() >= deadline);
    EXPECT(!mutex_try_lock(&mutex) && mutex_owner(&mutex) == holder);
    deadline = clock_now_ns() + 2 * NS_PER_MS;
    EXPECT_EQ(semaphore_wait_until(&from, deadline), (uint64_t)-ETIMEDOUT);
    EXPECT(clock_now_ns() >= deadline);
    deadline = clock_now_ns() + 2 * NS_PER_MS;
    EXPECT_EQ(wait_queue_wait_until(&queue, false, deadline), (uint64_t)-ETIMEDOUT);
    EXPECT(clock_now_ns() >= deadline);
    EXPECT_EQ(wait_queue_wait_exclusive_until(&queue, false, 1), (uint64_t)-ETIMEDOUT); /* long past */
    EXPECT_EQ(wait_queue_wait_until(&queue, true, 1), 0);
    semaphore_post(&to);
    EXPECT_EQ(thread_join(holder, NULL), 0);
    EXPECT(mutex_try_lock(&mutex));
    mutex_unlock(&mutex);
}

/* ---- once ---- */

static struct once once;

static int fail_first(void *nr_runs)
{
    thread_yield();
    return __atomic_fetch_add((uint32_t *)nr_runs, 1, __ATOMIC_RELAXED) == 0 ? -EIO : 0;
}

static int run_once(void *nr_runs)
{
    return once_run(&once, fail_first, nr_runs) != 0;
}

KERNEL_TEST(once_raced, "sync/once_is_run_until_it_succeeds_and_not_again")
{
    uint32_t nr_runs = 0;
    int nr_errors;

    once = (struct once)ONCE_INITIALIZER(once, "sync test");
    EXPECT_EQ(team_run(run_once, &nr_runs, &nr_errors), 0);
    EXPECT_EQ(nr_errors, 1);
    EXPECT_EQ(nr_runs, 2);
    EXPECT(once_is_done(&once));
}

/* ---- memory ---- */

/* Nothing here may fail for want of memory: waiters are on their stacks. */
KERNEL_TEST(no_allocation, "sync/waiting_allocates_nothing")
{
    struct thread *partner;
    bool has_allocated;

    semaphore_init(&to, 0, "to");
    semaphore_init(&from, 0, "from");
    EXPECT_EQ(thread_create(&partner, NULL, hold_mutex_until_posted, NULL), 0);
    semaphore_wait(&from);
    fail_inject_arm(FAIL_ANY, 1);
    if (mutex_lock_until(&mutex, clock_now_ns() + NS_PER_MS) == 0)
        mutex_unlock(&mutex);
    semaphore_post(&to);
    mutex_lock(&mutex);
    mutex_unlock(&mutex);
    await_alarm();
    has_allocated = fail_inject_disarm();
    EXPECT_EQ(thread_join(partner, NULL), 0);
    EXPECT(!has_allocated);
}
