/* Mutexes that all threads want, taken in every way, one inside the other; and a token that goes round in a wait queue.
 */
#include <sched/thread.h>
#include <sync/mutex.h>
#include <sync/wait_queue.h>
#include <time/clock.h>
#include <time/timer.h>

#include "stress.h"

#define PATIENCE_MAX_NS  (200 * NS_PER_US)
#define MISTAKE_SLEEP_NS (100 * NS_PER_US)
#define MISTAKE_SLEEPS   20u
#define TOKEN_LOOK_NS    (10 * NS_PER_MS)
#define TOKEN_LOOKS      200u

/* Two counts that only differ while somebody has the mutex. */
struct guarded {
    struct mutex mutex;
    uint64_t first, second; /* [m] the mutex */
    uint64_t nr_meant;      /* [a] */
    uint64_t nr_looks;      /* [a] whether they differ */
};

static struct guarded outer = {.mutex = MUTEX_INITIALIZER("stress outer")};
static struct guarded inner = {.mutex = MUTEX_INITIALIZER("stress inner")};

static bool take(struct mutex *mutex, struct stress_worker *worker)
{
    switch (stress_roll(worker, 4)) {
    case 0:
        return mutex_try_lock(mutex);
    case 1:
        return mutex_lock_until(mutex, clock_now_ns() + stress_roll(worker, PATIENCE_MAX_NS)) == 0;
    default:
        mutex_lock(mutex);
        return true;
    }
}

static void change(struct guarded *guarded, struct stress_worker *worker)
{
    __atomic_fetch_add(&guarded->nr_looks, 1, __ATOMIC_RELAXED); /* a mistake waits for it */
    if (guarded->first != guarded->second)
        stress_fail("mutex %s: two have it", guarded->mutex.name);
    guarded->first++;
    if (stress_roll(worker, 8) == 0)
        thread_yield();
    guarded->second++;
    /* Relaxed: read when the threads have ended. */
    __atomic_fetch_add(&guarded->nr_meant, 1, __ATOMIC_RELAXED);
}

/* Until somebody has looked: on a busy host CPUs seldom run at the same time. */
static void change_without_mutex(struct guarded *guarded)
{
    uint64_t before = __atomic_load_n(&guarded->nr_looks, __ATOMIC_RELAXED);

    guarded->first++;
    for (unsigned i = 0; i < MISTAKE_SLEEPS && __atomic_load_n(&guarded->nr_looks, __ATOMIC_RELAXED) == before; i++)
        sleep_ns(MISTAKE_SLEEP_NS);
    guarded->second++;
    __atomic_fetch_add(&guarded->nr_meant, 1, __ATOMIC_RELAXED);
}

static void work_mutex(struct stress_worker *worker)
{
    bool has_outer = stress_roll(worker, 2) == 0 && take(&outer.mutex, worker);

    if (has_outer)
        change(&outer, worker);
    else if (stress_errs(worker))
        change_without_mutex(&inner);
    if (take(&inner.mutex, worker)) {
        change(&inner, worker);
        mutex_unlock(&inner.mutex);
    }
    if (has_outer)
        mutex_unlock(&outer.mutex);
}

static void check(struct guarded *guarded)
{
    if (guarded->first != guarded->nr_meant || guarded->second != guarded->nr_meant)
        stress_fail("mutex %s: %lu and %lu changes of %lu", guarded->mutex.name, guarded->first, guarded->second,
                    guarded->nr_meant);
    guarded->first = guarded->second = guarded->nr_meant = 0;
}

static void end_mutex(struct stress *stress)
{
    (void)stress;
    check(&outer);
    check(&inner);
}

const struct stress_kind stress_mutex = {.name = "mutex", .work = work_mutex, .end = end_mutex};

/* ---- the token ---- */

static struct wait_queue ring = WAIT_QUEUE_INITIALIZER(ring, "stress ring");
static unsigned turn;      /* [a] whose it is */
static uint32_t must_stop; /* [a] */

static int begin_queue(struct stress *stress)
{
    (void)stress;
    __atomic_store_n(&turn, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&must_stop, 0, __ATOMIC_RELAXED);
    return 0;
}

/* Pairs with the releases below. */
static bool may_go_on(const struct stress_worker *worker)
{
    return __atomic_load_n(&turn, __ATOMIC_ACQUIRE) == worker->number || __atomic_load_n(&must_stop, __ATOMIC_ACQUIRE);
}

static void work_queue(struct stress_worker *worker)
{
    if (stress_roll(worker, 8) == 0) {
        uint64_t deadline_ns = clock_now_ns() + stress_roll(worker, PATIENCE_MAX_NS);

        if (wait_queue_wait_until(&ring, may_go_on(worker), deadline_ns) < 0)
            return; /* the next round waits on */
    } else {
        wait_queue_wait(&ring, may_go_on(worker));
    }
    if (__atomic_load_n(&must_stop, __ATOMIC_ACQUIRE))
        return;
    __atomic_store_n(&turn, (worker->number + 1) % worker->stress->nr_workers, __ATOMIC_RELEASE);
    if (!stress_errs(worker)) /* a wake-up that is lost */
        wait_queue_wake_all(&ring);
}

/* The token moves until it comes to a thread that has had its last round. A wake-up that was lost leaves it with one
 * that sleeps. Threads that could not be started would not hand it on. */
static void check_token(const struct stress *stress)
{
    unsigned number = stress->nr_workers, before, looks = 0;

    do {
        before = number;
        number = __atomic_load_n(&turn, __ATOMIC_ACQUIRE); /* pairs with the release in work_queue */
        if (!stress->workers[number].thread || __atomic_load_n(&stress->workers[number].is_done, __ATOMIC_ACQUIRE))
            return;
        looks = number == before ? looks + 1 : 0;
        sleep_ns(TOKEN_LOOK_NS);
    } while (looks < TOKEN_LOOKS);
    stress_fail("queue: thread %u has the token and sleeps", number);
}

static void stop_queue(struct stress *stress)
{
    check_token(stress);
    __atomic_store_n(&must_stop, 1, __ATOMIC_RELEASE);
    wait_queue_wake_all(&ring);
}

const struct stress_kind stress_queue = {.name = "queue", .begin = begin_queue, .work = work_queue, .stop = stop_queue};
