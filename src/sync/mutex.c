/* Taking and giving back a sleeping mutex; who waits, and what that lends to whom, is inherit.c's. */
#include <sync/mutex.h>

#include <base/assert.h>
#include <base/errno.h>
#include <debug/backtrace.h>
#include <debug/panic.h>
#include <sched/thread.h>
#include <sched/thread_locks.h>
#include <sync/spinlock.h>

#include "inherit.h"

#define LOCATION_MAX 120

void mutex_init(struct mutex *mutex, const char *name)
{
    *mutex = (struct mutex)MUTEX_INITIALIZER(name);
}

struct thread *mutex_owner(const struct mutex *mutex)
{
    return (struct thread *)(__atomic_load_n(&mutex->owner, __ATOMIC_RELAXED) & ~(uintptr_t)MUTEX_HAS_WAITERS);
}

bool mutex_is_held(const struct mutex *mutex)
{
    return mutex_owner(mutex) == thread_current();
}

void assert_mutex_held(const struct mutex *mutex)
{
    ASSERT(mutex_is_held(mutex));
}

static ALWAYS_INLINE bool try_take(struct mutex *mutex, struct thread *thread)
{
    uintptr_t nobody = 0;

    /* pairs with the release of who gave it back */
    return __atomic_compare_exchange_n(&mutex->owner, &nobody, (uintptr_t)thread, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

static ALWAYS_INLINE void note_held(struct mutex *mutex, struct thread *thread, const void *where)
{
    struct thread_locks *locks = thread_locks(thread);

    mutex->acquired_at = where;
    mutex->held_below = locks->held;
    locks->held = mutex;
}

static NORETURN COLD void report_recursion(const struct mutex *mutex, const void *where)
{
    char first[LOCATION_MAX], again[LOCATION_MAX];

    format_code_location(first, sizeof(first), (uint64_t)(uintptr_t)mutex->acquired_at, true);
    format_code_location(again, sizeof(again), (uint64_t)(uintptr_t)where, true);
    panic("lock recursion: mutex '%s' taken at %s, again at %s", mutex->name, first, again);
}

/* Marks that somebody waits, so that the owner cannot give it back unseen; or takes it, when it is free after all. */
static bool take_or_mark(struct mutex *mutex, struct thread *thread)
{
    uintptr_t owner = __atomic_load_n(&mutex->owner, __ATOMIC_RELAXED);

    do {
        if (owner == 0 && try_take(mutex, thread))
            return true;
        owner = __atomic_load_n(&mutex->owner, __ATOMIC_RELAXED);
    } while (owner == 0 || !__atomic_compare_exchange_n(&mutex->owner, &owner, owner | MUTEX_HAS_WAITERS, false,
                                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return false;
}

/* Queues up and announces the sleep, unless the mutex is free. */
static bool take_or_queue(struct mutex *mutex, struct mutex_waiter *waiter, bool *is_circle)
{
    struct thread *owner;
    uint64_t flags;

    flags = spinlock_lock_irqsave(&inheritance_lock);
    if (take_or_mark(mutex, thread_current())) {
        spinlock_unlock_irqrestore(&inheritance_lock, flags);
        return true;
    }
    inherit_add_waiter(mutex, waiter);
    *is_circle = inherit_is_circle(waiter);
    owner = thread_get(mutex_owner(mutex));
    spinlock_unlock_irqrestore(&inheritance_lock, flags);
    inherit_pass_on(owner);
    return false;
}

static int withdraw(struct mutex_waiter *waiter)
{
    struct thread *owner = NULL;
    uint64_t flags;

    flags = spinlock_lock_irqsave(&inheritance_lock);
    if (waiter_state(&waiter->waiter) == WAITER_QUEUED) {
        owner = thread_get(mutex_owner(waiter->mutex));
        inherit_remove_waiter(waiter);
    }
    spinlock_unlock_irqrestore(&inheritance_lock, flags);
    if (!owner) {
        waiter_await_release(&waiter->waiter);
        return 0;
    }
    inherit_pass_on(owner);
    return -ETIMEDOUT;
}

static bool is_queued(const struct mutex_waiter *waiter)
{
    uint64_t flags;
    bool is_in;

    flags = spinlock_lock_irqsave(&inheritance_lock);
    is_in = waiter_state(&waiter->waiter) == WAITER_QUEUED;
    spinlock_unlock_irqrestore(&inheritance_lock, flags);
    return is_in;
}

static int sleep_until_released(struct mutex_waiter *waiter, uint64_t deadline_ns)
{
    thread_wait_begin(WAIT_MUTEX, waiter->mutex);
    while (is_queued(waiter)) { /* else handed over before the announcement, or a moment before it is released */
        int error = thread_wait_until(deadline_ns);

        if (waiter_state(&waiter->waiter) == WAITER_RELEASED)
            return 0;
        if (error)
            return withdraw(waiter);
        thread_wait_begin(WAIT_MUTEX, waiter->mutex);
    }
    thread_wait_end();
    waiter_await_release(&waiter->waiter);
    return 0;
}

static NOINLINE int lock_contended(struct mutex *mutex, uint64_t deadline_ns, const void *where)
{
    struct mutex_waiter waiter = {.has_deadline = deadline_ns != UINT64_MAX};
    bool is_circle = false;
    int error = 0;

    if (UNLIKELY(mutex_is_held(mutex)))
        report_recursion(mutex, where);
    if (!take_or_queue(mutex, &waiter, &is_circle)) {
        if (UNLIKELY(is_circle))
            warn("deadlock: thread '%s' waits for mutex '%s', whose owner waits for one of its own",
                 thread_name(thread_current()), mutex->name);
        error = sleep_until_released(&waiter, deadline_ns);
    }
    if (!error)
        note_held(mutex, thread_current(), where);
    return error;
}

void mutex_lock(struct mutex *mutex)
{
    struct thread *thread = thread_current();

    assert_may_sleep();
    lockdep_acquire(&mutex->lockdep, mutex->name, LOCKDEP_SLEEPING);
    if (LIKELY(try_take(mutex, thread))) {
        note_held(mutex, thread, __builtin_return_address(0));
    } else {
        lockdep_contended(&mutex->lockdep);
        (void)!lock_contended(mutex, UINT64_MAX, __builtin_return_address(0));
    }
    lockdep_acquired(&mutex->lockdep);
}

/* Who does not wait for ever deadlocks with nobody: for the lock checker it tries. */
int mutex_lock_until(struct mutex *mutex, uint64_t deadline_ns)
{
    struct thread *thread = thread_current();
    int error = 0;

    assert_may_sleep();
    if (LIKELY(try_take(mutex, thread)))
        note_held(mutex, thread, __builtin_return_address(0));
    else
        error = lock_contended(mutex, deadline_ns, __builtin_return_address(0));
    if (!error)
        lockdep_acquire(&mutex->lockdep, mutex->name, LOCKDEP_SLEEPING | LOCKDEP_TRY);
    return error;
}

bool mutex_try_lock(struct mutex *mutex)
{
    struct thread *thread = thread_current();

    if (!try_take(mutex, thread))
        return false;
    lockdep_acquire(&mutex->lockdep, mutex->name, LOCKDEP_SLEEPING | LOCKDEP_TRY);
    note_held(mutex, thread, __builtin_return_address(0));
    return true;
}

static NOINLINE void unlock_contended(struct mutex *mutex)
{
    struct mutex_waiter *next;
    uint64_t flags;

    flags = spinlock_lock_irqsave(&inheritance_lock);
    next = inherit_hand_on(mutex, thread_current());
    if (next)
        waiter_take(&next->waiter);
    spinlock_unlock_irqrestore(&inheritance_lock, flags);
    if (next)
        waiter_release(&next->waiter);
}

static ALWAYS_INLINE void give_back(struct mutex *mutex, struct thread *thread)
{
    uintptr_t alone = (uintptr_t)thread;

    /* pairs with the acquire in try_take */
    if (UNLIKELY(!__atomic_compare_exchange_n(&mutex->owner, &alone, 0, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED)))
        unlock_contended(mutex);
}

/* Given back in another order than taken. */
static NOINLINE void unlock_below(struct mutex *mutex)
{
    struct thread *thread = thread_current();
    struct mutex *above = thread_locks(thread)->held;

    while (above && above->held_below != mutex)
        above = above->held_below;
    if (!above)
        panic("mutex '%s' given back by thread '%s', which does not hold it", mutex->name, thread_name(thread));
    above->held_below = mutex->held_below;
    give_back(mutex, thread);
}

/* What is rare is called last: nothing is saved for it. */
void mutex_unlock(struct mutex *mutex)
{
    struct thread *thread = thread_current();
    struct thread_locks *locks = thread_locks(thread);

    lockdep_release(&mutex->lockdep);
    if (LIKELY(locks->held == mutex)) {
        locks->held = mutex->held_below;
        give_back(mutex, thread);
    } else {
        unlock_below(mutex);
    }
}
