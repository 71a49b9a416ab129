/* Small cases for `explore`: two or three threads that meet in everything that waits or is shared. They pass under
 * every schedule, explored or not; those of the prefix selftest/ have a bug that only some schedules show. */
#include <base/errno.h>
#include <cpu/schedule_point.h>
#include <debug/test.h>
#include <mm/kmalloc.h>
#include <mm/page.h>
#include <mm/slab.h>
#include <sched/thread.h>
#include <sync/spinlock.h>
#include <time/clock.h>
#include <time/timer.h>

/* Long enough for any schedule; who waits so long has lost a wake-up. */
#define LOST_NS (100 * NS_PER_MS)

#define NR_ROUNDS 3u

/* A flag, and who waits for it. */
struct signal {
    bool is_set; /* [a] */
    struct thread *waiter;
};

static bool signal_take(struct signal *signal)
{
    return __atomic_exchange_n(&signal->is_set, false, __ATOMIC_ACQ_REL);
}

static void signal_set(struct signal *signal)
{
    __atomic_store_n(&signal->is_set, true, __ATOMIC_RELEASE);
    (void)thread_wake(signal->waiter);
}

static int signal_wait(struct signal *signal)
{
    thread_wait_begin(WAIT_EVENT, signal);
    while (!signal_take(signal)) {
        if (thread_wait_until(clock_now_ns() + LOST_NS) < 0)
            return signal_take(signal) ? 0 : -ETIMEDOUT;
        thread_wait_begin(WAIT_EVENT, signal);
    }
    thread_wait_end();
    return 0;
}

/* Looks, and only then says that it waits. */
static int signal_wait_wrongly(struct signal *signal)
{
    while (!signal_take(signal)) {
        thread_wait_begin(WAIT_EVENT, signal);
        if (thread_wait_until(clock_now_ns() + LOST_NS) < 0)
            return -ETIMEDOUT;
    }
    return 0;
}

struct ping_pong {
    struct signal ping, pong;
    int (*wait)(struct signal *signal);
    int error; /* the partner's */
};

static int answer_pings(void *argument)
{
    struct ping_pong *game = argument;

    for (unsigned i = 0; i < NR_ROUNDS && game->error == 0; i++) {
        game->error = game->wait(&game->ping);
        signal_set(&game->pong);
    }
    return game->error;
}

static int play(int (*wait)(struct signal *signal))
{
    struct ping_pong game = {.pong = {.waiter = thread_current()}, .wait = wait};
    int error, partner_error;

    error = thread_create(&game.ping.waiter, NULL, answer_pings, &game);
    if (error)
        return error;
    for (unsigned i = 0; i < NR_ROUNDS && error == 0; i++) {
        signal_set(&game.ping);
        error = wait(&game.pong);
    }
    (void)thread_join(game.ping.waiter, &partner_error);
    return error ? error : partner_error;
}

KERNEL_TEST(explore_wait, "explore/waiting_and_waking")
{
    EXPECT_EQ(play(signal_wait), 0);
}

KERNEL_TEST(explore_lost, "selftest/lost_wake_up")
{
    EXPECT_EQ(play(signal_wait_wrongly), 0);
}

/* An object with two owners, the last of whom frees it. */
struct shared {
    struct spinlock lock;
    unsigned nr_owners;
    void *object;
};

static void drop(struct shared *shared)
{
    bool is_last;

    spinlock_lock(&shared->lock);
    is_last = --shared->nr_owners == 0;
    spinlock_unlock(&shared->lock);
    if (is_last)
        kfree(shared->object);
}

/* Looks at the count when it may have changed again. */
static void drop_wrongly(struct shared *shared)
{
    spinlock_lock(&shared->lock);
    shared->nr_owners--;
    spinlock_unlock(&shared->lock);
    if (shared->nr_owners == 0)
        kfree(shared->object);
}

static int run_drop(void *argument)
{
    drop(argument);
    return 0;
}

static int run_drop_wrongly(void *argument)
{
    drop_wrongly(argument);
    return 0;
}

/* The test's thread is the other owner. */
static int drop_twice(thread_function partner, void (*own)(struct shared *shared))
{
    struct shared shared = {
        .lock = SPINLOCK_INITIALIZER("explored object"), .nr_owners = 2, .object = kmalloc(64, ALLOC_NORMAL)};
    struct thread *thread;
    int error;

    if (!shared.object)
        return -ENOMEM;
    error = thread_create(&thread, NULL, partner, &shared);
    if (error) {
        kfree(shared.object);
        return error;
    }
    own(&shared);
    return thread_join(thread, NULL);
}

KERNEL_TEST(explore_drop, "explore/the_last_owner_frees")
{
    EXPECT_EQ(drop_twice(run_drop, drop), 0);
}

KERNEL_TEST(explore_double_free, "selftest/double_free")
{
    EXPECT_EQ(drop_twice(run_drop_wrongly, drop_wrongly), 0);
}

/* Allocators: a magazine, a slab and a page list that another thread comes into the middle of. */
static int allocate_and_free(void *argument)
{
    static const size_t sizes[] = {16, 64, 64, 3000};
    unsigned char *objects[ARRAY_SIZE(sizes)], mark = (unsigned char)(uintptr_t)argument;
    int error = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        objects[i] = kmalloc(sizes[i], ALLOC_NORMAL);
        if (objects[i])
            objects[i][sizes[i] - 1] = objects[i][0] = mark;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        if (!objects[i] || objects[i][0] != mark || objects[i][sizes[i] - 1] != mark)
            error = -EIO;
        kfree(objects[i]);
    }
    return error;
}

KERNEL_TEST(explore_slab, "explore/allocators")
{
    struct thread *threads[2];
    int codes[2], own;

    EXPECT_EQ(thread_create(&threads[0], NULL, allocate_and_free, (void *)1), 0);
    EXPECT_EQ(thread_create(&threads[1], NULL, allocate_and_free, (void *)2), 0);
    own = allocate_and_free((void *)3);
    EXPECT_EQ(thread_join(threads[0], &codes[0]), 0);
    EXPECT_EQ(thread_join(threads[1], &codes[1]), 0);
    EXPECT(own == 0 && codes[0] == 0 && codes[1] == 0);
}

/* A timer that is set by one thread, moved by another and cancelled by both: it fires or was cancelled, never both. */
struct alarm {
    struct timer timer;
    unsigned nr_fired; /* [a] */
};

static void ring(struct timer *timer)
{
    __atomic_fetch_add(&CONTAINER_OF(timer, struct alarm, timer)->nr_fired, 1, __ATOMIC_RELAXED);
}

static int set_and_cancel(void *argument)
{
    struct alarm *alarm = argument;
    unsigned nr_cancelled = 0;

    for (unsigned i = 0; i < NR_ROUNDS; i++) {
        timer_set(&alarm->timer, clock_now_ns() + i * NS_PER_US);
        nr_cancelled += timer_cancel(&alarm->timer);
    }
    return (int)nr_cancelled;
}

KERNEL_TEST(explore_timer, "explore/timers")
{
    struct alarm alarm = {.nr_fired = 0};
    struct thread *thread;
    unsigned before;
    int other, own;

    timer_init(&alarm.timer, ring);
    EXPECT_EQ(thread_create(&thread, NULL, set_and_cancel, &alarm), 0);
    own = set_and_cancel(&alarm);
    EXPECT_EQ(thread_join(thread, &other), 0);
    before = __atomic_load_n(&alarm.nr_fired, __ATOMIC_RELAXED);
    EXPECT((unsigned)(own + other) + before <= 2 * NR_ROUNDS);
    EXPECT(!timer_cancel(&alarm.timer));
    EXPECT_EQ(__atomic_load_n(&alarm.nr_fired, __ATOMIC_RELAXED), before);
}
