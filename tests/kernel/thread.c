/* Threads: making, ending, waiting, waking and preempting them. */
#include <base/errno.h>
#include <cpu/cpu_mask.h>
#include <cpu/interrupts.h>
#include <debug/test.h>
#include <lib/string.h>
#include <mm/fail_inject.h>
#include <mm/slab.h>
#include <sched/sched.h>
#include <sched/thread.h>
#include <time/clock.h>
#include <time/timer.h>

static int return_argument(void *argument)
{
    return (int)(intptr_t)argument;
}

static int exit_with_argument(void *argument)
{
    thread_exit((int)(intptr_t)argument);
}

KERNEL_TEST(exit_codes, "thread/exit_code_reaches_join")
{
    struct thread *thread;
    int code;

    for (intptr_t i = -2; i < 3; i++) {
        EXPECT_EQ(thread_create(&thread, &(struct thread_options){.name = "returns"}, return_argument, (void *)i), 0);
        EXPECT_EQ(thread_join(thread, &code), 0);
        EXPECT_EQ(code, i);
        EXPECT_EQ(thread_create(&thread, NULL, exit_with_argument, (void *)i), 0);
        EXPECT_EQ(thread_join(thread, &code), 0);
        EXPECT_EQ(code, i);
    }
}

static int add_one(void *argument)
{
    __atomic_fetch_add((uint32_t *)argument, 1, __ATOMIC_RELAXED);
    return 0;
}

KERNEL_TEST(many, "thread/many_at_once")
{
    static struct thread *threads[200];
    uint32_t count = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++)
        EXPECT_EQ(thread_create(&threads[i], NULL, add_one, &count), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++)
        EXPECT_EQ(thread_join(threads[i], NULL), 0);
    EXPECT_EQ(count, ARRAY_SIZE(threads));
}

/* The runner counts threads: so its end is waited for, not what it does before. */
KERNEL_TEST(detached, "thread/detached_one_runs_and_is_gone")
{
    struct thread *thread;
    struct thread_info info;
    uint32_t count = 0;

    EXPECT_EQ(thread_create(&thread, NULL, add_one, &count), 0);
    (void)thread_get(thread);
    thread_detach(thread);
    do {
        thread_yield();
        thread_get_info(thread, &info);
    } while (info.state != THREAD_DEAD);
    thread_put(thread);
    EXPECT_EQ(__atomic_load_n(&count, __ATOMIC_RELAXED), 1);
}

/* Memory that a failed creation kept would show in the counters. */
KERNEL_TEST(create_fails, "thread/every_nth_allocation_of_a_creation_failing")
{
    struct thread *thread = NULL;
    uint64_t nth = 0;
    bool has_failed = true;

    while (has_failed) {
        uint32_t count = 0;
        int error;

        threads_settle(); /* no kept stack */
        slab_reap();
        fail_inject_arm(FAIL_ANY, ++nth);
        error = thread_create(&thread, NULL, add_one, &count);
        has_failed = fail_inject_disarm();
        EXPECT(error == 0 || (error == -ENOMEM && has_failed));
        if (error == 0)
            EXPECT_EQ(thread_join(thread, NULL), 0);
        EXPECT_EQ(count, error == 0);
    }
    EXPECT(nth > 3);
}

KERNEL_TEST(create_refused, "thread/what_there_is_not_is_refused")
{
    struct thread *thread = NULL;
    struct cpu_mask nobody;

    cpu_mask_clear_all(&nobody);
    EXPECT_EQ(thread_create(&thread, &(struct thread_options){.nice = 20}, add_one, NULL), (uint64_t)-EINVAL);
    EXPECT_EQ(thread_create(&thread, &(struct thread_options){.class = SCHED_FIFO}, add_one, NULL), (uint64_t)-EINVAL);
    EXPECT_EQ(thread_create(&thread, &(struct thread_options){.flags = 1u << 20}, add_one, NULL), (uint64_t)-EINVAL);
    EXPECT_EQ(thread_create(&thread, &(struct thread_options){.affinity = &nobody}, add_one, NULL), (uint64_t)-EINVAL);
    EXPECT_EQ(thread_set_nice(thread_current(), -21), (uint64_t)-EINVAL);
    EXPECT_EQ(thread_set_class(thread_current(), SCHED_FIFO, 100), (uint64_t)-EINVAL);
    EXPECT_EQ(thread_set_affinity(thread_current(), &nobody), (uint64_t)-EINVAL);
    EXPECT_EQ(thread_join(thread_current(), NULL), (uint64_t)-EINVAL);
    EXPECT(!thread);
}

KERNEL_TEST(wait_deadline, "thread/wait_ends_at_the_deadline")
{
    uint64_t begin = clock_now_ns();

    thread_wait_begin(WAIT_SLEEP, NULL);
    EXPECT_EQ(thread_wait_until(begin + 20 * NS_PER_MS), (uint64_t)-ETIMEDOUT);
    EXPECT(clock_now_ns() >= begin + 20 * NS_PER_MS);
    thread_wait_begin(WAIT_SLEEP, NULL);
    EXPECT_EQ(thread_wait_until(1), (uint64_t)-ETIMEDOUT); /* long past */
}

/* A token that two threads hand to each other. */
struct table_tennis {
    struct thread *players[2];
    uint32_t turn;     /* [a] */
    uint32_t rounds;   /* [a] the first player's to count */
    uint32_t nr_slept; /* [a] */
};

static uint32_t rounds_left(const struct table_tennis *game)
{
    return __atomic_load_n(&game->rounds, __ATOMIC_RELAXED);
}

static void play(struct table_tennis *game, uint32_t me)
{
    while (rounds_left(game) > 0) {
        thread_wait_begin(WAIT_EVENT, game);
        while (__atomic_load_n(&game->turn, __ATOMIC_RELAXED) != me) {
            __atomic_fetch_add(&game->nr_slept, thread_wait_until(UINT64_MAX) == 0, __ATOMIC_RELAXED);
            thread_wait_begin(WAIT_EVENT, game);
        }
        thread_wait_end();
        if (me == 0 && rounds_left(game) > 0)
            __atomic_fetch_sub(&game->rounds, 1, __ATOMIC_RELAXED);
        __atomic_store_n(&game->turn, 1 - me, __ATOMIC_RELAXED);
        (void)thread_wake(game->players[1 - me]);
    }
}

static int play_second(void *argument)
{
    play(argument, 1);
    return 0;
}

KERNEL_TEST(wake, "thread/each_wake_ends_a_wait")
{
    struct table_tennis game = {.players = {thread_current()}, .turn = 1, .rounds = 2000};

    EXPECT_EQ(thread_create(&game.players[1], NULL, play_second, &game), 0);
    play(&game, 0);
    EXPECT_EQ(thread_join(game.players[1], NULL), 0);
    EXPECT(game.nr_slept > 0);
}

static int wait_for_word(void *argument)
{
    const uint32_t *word = argument;
    int looks = 0;

    for (;; looks++) {
        thread_wait_begin(WAIT_EVENT, word);
        if (__atomic_load_n(word, __ATOMIC_RELAXED) != 0)
            break;
        (void)thread_wait_until(UINT64_MAX);
    }
    thread_wait_end();
    return looks;
}

static bool is_asleep(const struct thread *thread)
{
    struct thread_info info;

    thread_get_info(thread, &info);
    return info.state == THREAD_WAITING;
}

KERNEL_TEST(spurious, "thread/wake_for_nothing_is_survived_and_reasons_are_shown")
{
    struct thread *thread;
    struct thread_info info;
    uint32_t word = 0;
    int looks;

    EXPECT_EQ(thread_create(&thread, &(struct thread_options){.name = "waits for a word"}, wait_for_word, &word), 0);
    for (unsigned i = 0; i < 3; i++) {
        while (!is_asleep(thread))
            thread_yield();
        thread_get_info(thread, &info);
        EXPECT_EQ(info.wait, WAIT_EVENT);
        EXPECT(info.wait_object == &word && info.waiting_since_ns > 0);
        EXPECT_EQ(strcmp(info.name, "waits for a word"), 0);
        EXPECT(thread_wake(thread));
    }
    while (!is_asleep(thread))
        thread_yield();
    __atomic_store_n(&word, 1, __ATOMIC_RELAXED);
    EXPECT(thread_wake(thread));
    EXPECT_EQ(thread_join(thread, &looks), 0);
    EXPECT_EQ(looks, 4);
}

/* A thread that is awake is not woken, and does not forget to sleep because of it. */
KERNEL_TEST(wake_awake, "thread/waking_who_is_awake_does_nothing")
{
    uint64_t begin = clock_now_ns();

    EXPECT(!thread_wake(thread_current()));
    thread_wait_begin(WAIT_SLEEP, NULL);
    EXPECT_EQ(thread_wait_until(begin + NS_PER_MS), (uint64_t)-ETIMEDOUT);
    thread_wait_begin(WAIT_EVENT, NULL);
    EXPECT(thread_wake(thread_current())); /* it has announced: will not sleep */
    EXPECT_EQ(thread_wait_until(UINT64_MAX), 0);
}

/* Somebody who answers each question. */
struct questions {
    struct thread *asker;
    uint32_t nr_asked, nr_answered, nr_woken; /* [a] */
};

#define NR_QUESTIONS 200u

static void wait_for_count(const uint32_t *count, uint32_t wanted)
{
    thread_wait_begin(WAIT_EVENT, count);
    while (__atomic_load_n(count, __ATOMIC_RELAXED) < wanted) {
        (void)thread_wait_until(UINT64_MAX);
        thread_wait_begin(WAIT_EVENT, count);
    }
    thread_wait_end();
}

static int answer_questions(void *argument)
{
    struct questions *questions = argument;

    for (uint32_t i = 1; i <= NR_QUESTIONS; i++) {
        wait_for_count(&questions->nr_asked, i);
        __atomic_store_n(&questions->nr_answered, i, __ATOMIC_RELAXED);
        (void)thread_wake(questions->asker);
        __atomic_store_n(&questions->nr_woken, i, __ATOMIC_RELEASE);
    }
    return 0;
}

/* As two wakers do of which one has looked before the other one came. */
static void wake_twice(struct thread *thread)
{
    uint64_t flags = irq_save();

    (void)thread_wake_irq_off(thread);
    (void)thread_wake_long_irq_off(thread);
    irq_restore(flags);
}

/* The second one leaves the hand-over alone; else the queue takes who has no key, here a thread that runs. Whether the
 * first one hands over is a matter of time: on one CPU it does so as a rule. */
KERNEL_TEST(handed_and_woken, "thread/who_was_handed_the_cpu_is_woken_once_more")
{
    struct questions questions = {.asker = thread_current()};
    struct thread *thread;

    EXPECT_EQ(thread_create(&thread, NULL, answer_questions, &questions), 0);
    for (uint32_t i = 1; i <= NR_QUESTIONS; i++) {
        while (!is_asleep(thread))
            thread_yield();
        __atomic_store_n(&questions.nr_asked, i, __ATOMIC_RELAXED);
        wake_twice(thread);
        wait_for_count(&questions.nr_answered, i);
        while (__atomic_load_n(&questions.nr_woken, __ATOMIC_ACQUIRE) < i)
            thread_yield(); /* the answer is seen before its waking has come, which may take the next announcement */
        thread_wait_begin(WAIT_EVENT, NULL);
        EXPECT(thread_wake(thread_current()));
        EXPECT_EQ(thread_wait_until(UINT64_MAX), 0);
    }
    EXPECT_EQ(thread_join(thread, NULL), 0);
}

/* Threads that never give the CPU up. */
struct spinner {
    uint64_t turns; /* [a] */
    bool must_end;  /* [a] */
    struct thread *thread;
};

static int spin(void *argument)
{
    struct spinner *spinner = argument;

    while (!__atomic_load_n(&spinner->must_end, __ATOMIC_RELAXED)) {
        __atomic_fetch_add(&spinner->turns, 1, __ATOMIC_RELAXED);
        cpu_relax(); /* an emulator that runs one CPU at a time may go on with another */
    }
    return 0;
}

static int start_spinner(struct spinner *spinner, struct thread_options options)
{
    struct cpu_mask here;

    cpu_mask_clear_all(&here);
    cpu_mask_set(&here, 0);
    options.name = "spinner";
    options.affinity = &here;
    *spinner = (struct spinner){0};
    return thread_create(&spinner->thread, &options, spin, spinner);
}

/* The test itself goes where the spinners are, until leave_spinners_cpu. */
static void join_spinners_cpu(void)
{
    struct cpu_mask theirs = {0};

    cpu_mask_set(&theirs, 0);
    EXPECT_EQ(thread_set_affinity(thread_current(), &theirs), 0);
}

static void leave_spinners_cpu(void)
{
    EXPECT_EQ(thread_set_affinity(thread_current(), NULL), 0);
}

static int end_spinner(struct spinner *spinner)
{
    __atomic_store_n(&spinner->must_end, true, __ATOMIC_RELAXED);
    return thread_join(spinner->thread, NULL);
}

static void sleep_for(uint64_t ns)
{
    uint64_t deadline = clock_now_ns() + ns;

    do {
        thread_wait_begin(WAIT_SLEEP, NULL);
    } while (thread_wait_until(deadline) == 0);
}

static uint64_t turns_of(const struct spinner *spinner)
{
    return __atomic_load_n(&spinner->turns, __ATOMIC_RELAXED);
}

KERNEL_TEST(preemption, "thread/spinning_threads_are_preempted")
{
    struct spinner spinners[3];

    if (!timer_will_interrupt())
        return;
    for (unsigned i = 0; i < ARRAY_SIZE(spinners); i++)
        EXPECT_EQ(start_spinner(&spinners[i], (struct thread_options){.nice = 0}), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(spinners); i++) /* each one gets on while the others spin */
        while (turns_of(&spinners[i]) == 0)
            sleep_for(NS_PER_MS);
    for (unsigned i = 0; i < ARRAY_SIZE(spinners); i++)
        EXPECT_EQ(end_spinner(&spinners[i]), 0);
}

/* The fair one is there first and does not run while the FIFO one wants the CPU. */
KERNEL_TEST(fifo_first, "thread/fifo_goes_before_fair")
{
    struct spinner fair, fifo;
    uint64_t before;

    if (!timer_will_interrupt())
        return;
    join_spinners_cpu();
    EXPECT_EQ(thread_set_class(thread_current(), SCHED_FIFO, 20), 0);
    EXPECT_EQ(start_spinner(&fair, (struct thread_options){.nice = -20}), 0);
    EXPECT_EQ(start_spinner(&fifo, (struct thread_options){.class = SCHED_FIFO, .priority = 10}), 0);
    before = turns_of(&fair);
    do
        sleep_for(20 * NS_PER_MS);
    while (turns_of(&fifo) == 0); /* as long as the host keeps this CPU from running */
    EXPECT_EQ(turns_of(&fair), before);
    EXPECT_EQ(thread_set_class(fifo.thread, SCHED_FAIR, 0), 0); /* and from here on they share */
    while (turns_of(&fair) == before)
        sleep_for(NS_PER_MS);
    EXPECT_EQ(end_spinner(&fifo), 0);
    EXPECT_EQ(end_spinner(&fair), 0);
    EXPECT_EQ(thread_set_class(thread_current(), SCHED_FAIR, 0), 0);
    leave_spinners_cpu();
}

KERNEL_TEST(inherited, "thread/urgency_is_the_larger_of_own_and_inherited")
{
    struct spinner spinner, rival;
    uint64_t before;

    if (!timer_will_interrupt())
        return;
    join_spinners_cpu();
    EXPECT_EQ(thread_set_class(thread_current(), SCHED_FIFO, 50), 0);
    EXPECT_EQ(start_spinner(&spinner, (struct thread_options){.nice = 19}), 0);
    EXPECT_EQ(start_spinner(&rival, (struct thread_options){.class = SCHED_FIFO, .priority = 10}), 0);
    EXPECT_EQ(thread_urgency(spinner.thread), 1);
    thread_set_inherited_urgency(spinner.thread, 60); /* FIFO, 20 */
    EXPECT_EQ(thread_urgency(spinner.thread), 60);
    EXPECT_EQ(thread_set_nice(spinner.thread, -20), 0);
    EXPECT_EQ(thread_urgency(spinner.thread), 60);
    before = turns_of(&spinner);
    while (turns_of(&spinner) == before) /* the host may keep this CPU from running for longer than a sleep */
        sleep_for(NS_PER_MS);
    thread_set_inherited_urgency(spinner.thread, THREAD_URGENCY_NONE);
    EXPECT_EQ(thread_urgency(spinner.thread), 40);
    before = turns_of(&rival);
    while (turns_of(&rival) == before)
        sleep_for(NS_PER_MS);
    EXPECT_EQ(end_spinner(&rival), 0);
    EXPECT_EQ(end_spinner(&spinner), 0);
    EXPECT_EQ(thread_set_class(thread_current(), SCHED_FAIR, 0), 0);
    leave_spinners_cpu();
}

/* Preemption waits for the end of the section, and comes there. */
KERNEL_TEST(preempt_disable, "thread/sections_without_preemption_are_kept_whole")
{
    struct spinner spinner;
    uint64_t end;

    if (!timer_will_interrupt())
        return;
    join_spinners_cpu();
    preempt_disable();
    if (start_spinner(&spinner, (struct thread_options){.class = SCHED_FIFO, .priority = 1}) == 0) {
        end = clock_now_ns() + 5 * NS_PER_MS;
        while (clock_now_ns() < end)
            cpu_relax();
        __atomic_store_n(&spinner.must_end, turns_of(&spinner) == 0, __ATOMIC_RELAXED);
    }
    preempt_enable();
    EXPECT(__atomic_load_n(&spinner.must_end, __ATOMIC_RELAXED));
    EXPECT_EQ(thread_join(spinner.thread, NULL), 0);
    leave_spinners_cpu();
}

static int wait_and_leave(void *argument)
{
    (void)argument;
    return 7;
}

KERNEL_TEST(references, "thread/a_reference_outlives_the_thread")
{
    struct thread *thread;
    struct thread_info info;
    int code;

    EXPECT_EQ(thread_create(&thread, NULL, wait_and_leave, NULL), 0);
    (void)thread_get(thread);
    EXPECT_EQ(thread_join(thread, &code), 0);
    EXPECT_EQ(code, 7);
    threads_settle();
    thread_get_info(thread, &info);
    EXPECT_EQ(info.state, THREAD_DEAD);
    EXPECT(!info.stack);
    thread_put(thread);
}
