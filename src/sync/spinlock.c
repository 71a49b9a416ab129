/* The rare ways of a spinlock: waiting for it, handing it on, and giving it back in another order than locks were
 * taken. */
#include <sync/spinlock.h>

#include <base/assert.h>

static bool nobody_gives_back; /* [a] */

void spinlock_give_up_waiting(void)
{
    WRITE_ONCE(nobody_gives_back, true);
}

void spinlock_init(struct spinlock *lock, const char *name)
{
    *lock = (struct spinlock)SPINLOCK_INITIALIZER(name);
}

bool spinlock_is_held(const struct spinlock *lock)
{
    for (const struct spinlock *held = this_cpu_read(percpu.held_locks); held; held = held->held_below)
        if (held == lock)
            return true;
    return false;
}

void assert_held(const struct spinlock *lock)
{
    ASSERT(spinlock_is_held(lock));
}

NOINLINE void spinlock_wait_(struct spinlock *lock, const void *where)
{
    struct spinlock *outer = this_cpu_read(percpu.wanted_lock); /* of what this interrupts */
    uint32_t ticket;

    if (spinlock_is_held(lock)) /* it would wait for itself */
        spinlock_recursion(lock, lock->acquired_at, where);
    this_cpu_write(percpu.wanted_lock, lock);
    ticket = __atomic_fetch_add(&lock->next_ticket, 1, __ATOMIC_RELAXED);
    /* pairs with the release in spinlock_grant_ */
    while ((int32_t)(__atomic_load_n(&lock->grants, __ATOMIC_ACQUIRE) - ticket) <= 0 && !READ_ONCE(nobody_gives_back))
        cpu_relax();
    this_cpu_write(percpu.wanted_lock, outer);
}

NOINLINE void spinlock_grant_(struct spinlock *lock)
{
    /* pairs with the acquire in spinlock_wait_ */
    __atomic_store_n(&lock->grants, lock->grants + 1, __ATOMIC_RELEASE);
}

NOINLINE void spinlock_forget_(struct spinlock *lock)
{
    struct spinlock *above = this_cpu_read(percpu.held_locks);

    while (above && above->held_below != lock)
        above = above->held_below;
    if (!above)
        spinlock_not_held(lock);
    above->held_below = lock->held_below;
}
