/* The sleeping locks' own code in every order of two to four threads with few preemptions, on one CPU and on many:
 * nobody sleeps for ever, nothing is handed out twice or lost, and no waker touches what a waiter has left. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/errno.h>
#include <sync/completion.h>
#include <sync/mutex.h>
#include <sync/once.h>
#include <sync/semaphore.h>
#include <sync/wait_queue.h>

#include "explore.h"
#include "scheduler.h"

#define SOON 1 /* a deadline: the search lets it pass at any time */

static unsigned nr_done, nr_timed_out, nr_inside, tokens;
static struct semaphore semaphore;
static struct wait_queue queue;
static struct mutex mutexes[2];
static struct once once;
static struct completion *published, events;
static struct mutex *published_mutex;
static bool flag;

static void set_up(void)
{
    scheduler_set_up();
    nr_done = nr_timed_out = nr_inside = tokens = 0;
    flag = false;
    published = NULL;
    published_mutex = NULL;
    semaphore_init(&semaphore, 0, "permits");
    wait_queue_init(&queue, "flag");
    mutex_init(&mutexes[0], "first");
    mutex_init(&mutexes[1], "second");
    completion_init(&events, "events");
    once = (struct once)ONCE_INITIALIZER(once, "once");
}

static void add(unsigned *count, unsigned n)
{
    __atomic_fetch_add(count, n, __ATOMIC_SEQ_CST);
}

static unsigned look(const unsigned *count)
{
    return __atomic_load_n(count, __ATOMIC_SEQ_CST);
}

/* ---- semaphore ---- */

static void wait_once(void)
{
    semaphore_wait(&semaphore);
    add(&nr_done, 1);
}

static void wait_with_deadline(void)
{
    int error = semaphore_wait_until(&semaphore, SOON);

    EXPLORE_ASSERT(error == 0 || error == -ETIMEDOUT);
    add(error ? &nr_timed_out : &nr_done, 1);
}

static void post_once(void)
{
    semaphore_post(&semaphore);
}

static void post_twice(void)
{
    semaphore_post(&semaphore);
    semaphore_post(&semaphore);
}

/* A wake-up may come for nothing. */
static void wake_for_nothing(void)
{
    for (unsigned i = 0; i < EXPLORE_THREADS_MAX; i++)
        if (i != explore_current() && !explore_has_ended(i)) {
            (void)thread_wake(thread_get(&test_threads[i]));
            thread_put(&test_threads[i]);
        }
}

static void expect_two_done(void)
{
    scheduler_check_end();
    EXPLORE_ASSERT(nr_done == 2 && semaphore.permits == 0);
}

static void expect_one_done(void)
{
    scheduler_check_end();
    EXPLORE_ASSERT(nr_done == 1 && semaphore.permits == 0);
}

/* A permit is had, or there. */
static void expect_permit_kept(void)
{
    scheduler_check_end();
    EXPLORE_ASSERT(nr_done + semaphore.permits == 1);
}

/* ---- completion ---- */

static __attribute__((noinline)) void wait_on_own_stack(void)
{
    struct completion completion;

    completion_init(&completion, "answer");
    __atomic_store_n(&published, &completion, __ATOMIC_RELEASE);
    completion_wait(&completion);
    memset(&completion, 0xdd, sizeof(completion));
    __asm__ volatile("" : : "r"(&completion) : "memory");
}

static void answer_when_asked(void)
{
    struct completion *completion;

    while (!(completion = __atomic_load_n(&published, __ATOMIC_ACQUIRE)))
        cpu_relax();
    completion_complete(completion);
}

static void wait_for_event(void)
{
    completion_wait(&events);
    add(&nr_done, 1);
}

static void complete_for_all(void)
{
    completion_complete_all(&events);
}

static void expect_all_done(void)
{
    scheduler_check_end();
    EXPLORE_ASSERT(nr_done == 2 && completion_is_done(&events));
    completion_reset(&events);
    EXPLORE_ASSERT(!completion_is_done(&events));
}

/* ---- wait queue ---- */

static bool is_flagged(void)
{
    return __atomic_load_n(&flag, __ATOMIC_SEQ_CST);
}

static void wait_for_flag(void)
{
    wait_queue_wait(&queue, is_flagged());
    add(&nr_done, 1);
}

static void raise_flag(void)
{
    __atomic_store_n(&flag, true, __ATOMIC_SEQ_CST);
    wait_queue_wake_all(&queue);
}

static bool take_token(void)
{
    unsigned seen = look(&tokens);

    while (seen > 0)
        if (__atomic_compare_exchange_n(&tokens, &seen, seen - 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
            return true;
    return false;
}

static void wait_for_token(void)
{
    wait_queue_wait_exclusive(&queue, take_token());
    add(&nr_done, 1);
}

static void wait_for_token_with_deadline(void)
{
    int error = wait_queue_wait_exclusive_until(&queue, take_token(), SOON);

    add(error ? &nr_timed_out : &nr_done, 1);
}

static void add_token(void)
{
    add(&tokens, 1);
    wait_queue_wake_one(&queue);
}

static void add_two_tokens(void)
{
    add_token();
    add_token();
}

/* Faster than who waits. */
static void take_token_in_passing(void)
{
    add(&nr_inside, take_token());
}

static void expect_waiter_served(void)
{
    scheduler_check_end();
    EXPLORE_ASSERT(nr_done == 1 && nr_inside + tokens == 1 && !wait_queue_has_waiters(&queue));
}

static void expect_tokens_taken(void)
{
    scheduler_check_end();
    EXPLORE_ASSERT(nr_done == 2 && tokens == 0 && !wait_queue_has_waiters(&queue));
}

static void expect_flag_seen(void)
{
    scheduler_check_end();
    EXPLORE_ASSERT(nr_done == 2 && !wait_queue_has_waiters(&queue));
}

/* Who waits without a deadline got a token before one was left. */
static void expect_no_token_beside_a_waiter(void)
{
    scheduler_check_end();
    EXPLORE_ASSERT(nr_done + tokens == 2 && !wait_queue_has_waiters(&queue));
}

/* ---- mutex ---- */

static void be_inside(void)
{
    add(&nr_inside, 1);
    EXPLORE_ASSERT(look(&nr_inside) == 1);
    add(&nr_inside, -1u);
    add(&nr_done, 1);
}

static void lock_once(void)
{
    mutex_lock(&mutexes[0]);
    be_inside();
    mutex_unlock(&mutexes[0]);
}

static void lock_twice(void)
{
    lock_once();
    lock_once();
}

static void lock_with_deadline(void)
{
    if (mutex_lock_until(&mutexes[0], SOON) != 0) {
        add(&nr_timed_out, 1);
        return;
    }
    be_inside();
    mutex_unlock(&mutexes[0]);
}

static void expect_mutex_free(void)
{
    scheduler_check_end();
    EXPLORE_ASSERT(mutexes[0].owner == 0 && !mutexes[0].waiters.root);
    EXPLORE_ASSERT(mutexes[1].owner == 0 && !mutexes[1].waiters.root);
}

/* Whoever waits lends its urgency to the owner, through a mutex in between. */
static void be_urgent_and_lock(void)
{
    test_threads[explore_current()].urgency = 60 + explore_current();
    lock_once();
}

static void lock_second_then_first(void)
{
    mutex_lock(&mutexes[1]);
    lock_once();
    mutex_unlock(&mutexes[1]);
}

static void be_urgent_and_lock_second(void)
{
    test_threads[explore_current()].urgency = 90;
    mutex_lock(&mutexes[1]);
    mutex_unlock(&mutexes[1]);
}

/* Once everybody who can wait does: 0 has the first, 1 has the second and wants the first, 2 wants the second. */
static void hold_until_all_wait(void)
{
    mutex_lock(&mutexes[0]);
    add(&tokens, 1);
    while (thread_urgency(&test_threads[0]) != 90)
        cpu_relax(); /* for ever, if it is not passed on */
    mutex_unlock(&mutexes[0]);
    EXPLORE_ASSERT(thread_urgency(&test_threads[0]) == 20);
}

static void hold_second_and_want_first(void)
{
    mutex_lock(&mutexes[1]);
    while (look(&tokens) == 0)
        cpu_relax();
    add(&tokens, 1);
    mutex_lock(&mutexes[0]);
    EXPLORE_ASSERT(thread_urgency(&test_threads[1]) == 90);
    mutex_unlock(&mutexes[0]);
    mutex_unlock(&mutexes[1]);
    EXPLORE_ASSERT(thread_urgency(&test_threads[1]) == 20);
}

static void want_second_urgently(void)
{
    while (look(&tokens) < 2)
        cpu_relax();
    be_urgent_and_lock_second();
}

static void lock_second_with_deadline_urgently(void)
{
    test_threads[explore_current()].urgency = 90;
    if (mutex_lock_until(&mutexes[1], SOON) == 0)
        mutex_unlock(&mutexes[1]);
}

/* The mutex goes when the last of three is out of it; where it waits it waits for who is still to come. */
static __attribute__((noinline)) void lock_last_and_free(void)
{
    struct mutex mutex;

    mutex_init(&mutex, "on the stack");
    __atomic_store_n(&published_mutex, &mutex, __ATOMIC_RELEASE);
    while (look(&nr_done) == 0 || look(&tokens) < 2)
        cpu_relax();
    mutex_lock(&mutex);
    mutex_unlock(&mutex);
    memset(&mutex, 0xdd, sizeof(mutex));
    __asm__ volatile("" : : "r"(&mutex) : "memory");
}

static struct mutex *await_mutex(void)
{
    struct mutex *mutex;

    while (!(mutex = __atomic_load_n(&published_mutex, __ATOMIC_ACQUIRE)))
        cpu_relax();
    return mutex;
}

static void lock_before_the_last(void)
{
    struct mutex *mutex = await_mutex();

    mutex_lock(mutex);
    add(&nr_done, 1);
    while (look(&tokens) == 0)
        cpu_relax();
    mutex_unlock(mutex);
}

static void want_with_deadline_before_the_last(void)
{
    struct mutex *mutex = await_mutex();

    while (look(&nr_done) == 0)
        cpu_relax();
    add(&tokens, 1);
    if (mutex_lock_until(mutex, SOON) == 0)
        mutex_unlock(mutex);
    add(&tokens, 1);
}

/* ---- once ---- */

static int fail_once(void *argument)
{
    (void)argument;
    add(&nr_inside, 1);
    EXPLORE_ASSERT(look(&nr_inside) == 1);
    add(&nr_inside, -1u);
    add(&tokens, 1);
    return look(&tokens) == 1 ? -EIO : 0;
}

static int succeed(void *argument)
{
    (void)argument;
    EXPLORE_ASSERT(look(&tokens) == 0);
    add(&tokens, 1);
    return 0;
}

static void run_once_that_fails(void)
{
    int error = once_run(&once, fail_once, NULL);

    EXPLORE_ASSERT(error == 0 || error == -EIO);
    add(error ? &nr_timed_out : &nr_done, 1);
}

static void run_once(void)
{
    EXPLORE_ASSERT(once_run(&once, succeed, NULL) == 0);
    EXPLORE_ASSERT(look(&tokens) == 1);
}

static void expect_run_once(void)
{
    scheduler_check_end();
    EXPLORE_ASSERT(tokens == 1 && once_is_done(&once));
}

static void expect_one_error(void)
{
    scheduler_check_end();
    EXPLORE_ASSERT(nr_timed_out == 1 && nr_done == 2 && tokens == 2);
}

static const struct explore_test tests[] = {
    {"semaphore: two wait, two posts", 3, set_up, {wait_once, wait_once, post_twice}, expect_two_done, 2},
    {"semaphore: one waits, one posts", 2, set_up, {wait_once, post_once}, expect_one_done, 3},
    {"semaphore: time may be over", 2, set_up, {wait_with_deadline, post_once}, expect_permit_kept, 3},
    {"semaphore: woken for nothing", 3, set_up, {wait_once, post_once, wake_for_nothing}, expect_one_done, 2},
    {"semaphore: woken for nothing, time may be over",
     3,
     set_up,
     {wait_with_deadline, post_once, wake_for_nothing},
     expect_permit_kept,
     2},
    {"completion: on the waiter's stack", 2, set_up, {wait_on_own_stack, answer_when_asked}, scheduler_check_end, 3},
    {"completion: on the waiter's stack, woken for nothing",
     3,
     set_up,
     {wait_on_own_stack, answer_when_asked, wake_for_nothing},
     scheduler_check_end,
     2},
    {"completion: for all", 3, set_up, {wait_for_event, wait_for_event, complete_for_all}, expect_all_done, 2},
    {"wait queue: two wait for a flag", 3, set_up, {wait_for_flag, wait_for_flag, raise_flag}, expect_flag_seen, 2},
    {"wait queue: a token each",
     4,
     set_up,
     {wait_for_token, wait_for_token, add_token, add_token},
     expect_tokens_taken,
     2},
    {"wait queue: a token each, time may be over",
     4,
     set_up,
     {wait_for_token, wait_for_token_with_deadline, add_token, add_token},
     expect_no_token_beside_a_waiter,
     2},
    {"wait queue: woken for nothing",
     4,
     set_up,
     {wait_for_flag, wait_for_flag, raise_flag, wake_for_nothing},
     expect_flag_seen,
     1},
    {"wait queue: woken for nothing, and another was faster",
     4,
     set_up,
     {wait_for_token, add_two_tokens, take_token_in_passing, wake_for_nothing},
     expect_waiter_served,
     2},
    {"mutex: three threads", 3, set_up, {lock_once, lock_twice, lock_once}, expect_mutex_free, 2},
    {"mutex: time may be over", 3, set_up, {lock_once, lock_with_deadline, lock_with_deadline}, expect_mutex_free, 2},
    {"mutex: woken for nothing", 3, set_up, {lock_once, lock_once, wake_for_nothing}, expect_mutex_free, 2},
    {"mutex: urgent waiters", 3, set_up, {be_urgent_and_lock, be_urgent_and_lock, lock_once}, expect_mutex_free, 2},
    {"mutex: a chain",
     3,
     set_up,
     {hold_until_all_wait, hold_second_and_want_first, want_second_urgently},
     expect_mutex_free,
     2},
    {"mutex: a chain, time may be over",
     3,
     set_up,
     {lock_once, lock_second_then_first, lock_second_with_deadline_urgently},
     expect_mutex_free,
     2},
    {"mutex: gone with the last who had it",
     3,
     set_up,
     {lock_last_and_free, lock_before_the_last, want_with_deadline_before_the_last},
     scheduler_check_end,
     2},
    {"once: three threads", 3, set_up, {run_once, run_once, run_once}, expect_run_once, 2},
    {"once: fails the first time",
     3,
     set_up,
     {run_once_that_fails, run_once_that_fails, run_once_that_fails},
     expect_one_error,
     2},
};

int main(int nr_arguments, char **arguments)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (unsigned i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        if (nr_arguments > 1 && !strstr(tests[i].name, arguments[1]))
            continue;
        for (enum explore_machine machine = EXPLORE_ONE_CPU; machine <= EXPLORE_MANY_CPUS; machine++)
            printf("%s, %s: %lu executions\n", tests[i].name, machine == EXPLORE_ONE_CPU ? "one CPU" : "many CPUs",
                   (unsigned long)explore(&tests[i], machine));
    }
    return 0;
}
