/* A ticket lock: whoever asks first is served first.
 *
 *  1. next_ticket - now_serving is the number of CPUs that hold or want the lock.
 *  2. Only the holder writes now_serving and holder.
 *  3. A CPU that holds the lock and asks again would wait for itself: it finds its own number in holder and says so.
 */
#include <sync/spinlock.h>

#include <base/assert.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>

void spinlock_init(struct spinlock *lock, const char *name)
{
    *lock = (struct spinlock)SPINLOCK_INITIALIZER(name);
}

static inline uint32_t this_cpu_mark(void)
{
    return this_cpu_read(percpu.cpu_number) + 1;
}

static inline void note_acquired(struct spinlock *lock, const void *where)
{
    uint32_t n = this_cpu_read(percpu.nr_held_locks);

    lock->holder = this_cpu_mark();
    if (LIKELY(n < HELD_LOCKS_MAX)) {
        this_cpu_write(percpu.held_locks[n].lock, lock);
        this_cpu_write(percpu.held_locks[n].acquired_at, where);
    }
    this_cpu_write(percpu.nr_held_locks, n + 1);
}

/* Locks are mostly released in the opposite order: look from the top. */
static NOINLINE void forget_out_of_order(const struct spinlock *lock)
{
    struct percpu *cpu = this_cpu_read(percpu.self);
    uint32_t n = cpu->nr_held_locks < HELD_LOCKS_MAX ? cpu->nr_held_locks : HELD_LOCKS_MAX;

    while (n > 0 && cpu->held_locks[n - 1].lock != lock)
        n--;
    for (; n > 0 && n < HELD_LOCKS_MAX; n++)
        cpu->held_locks[n - 1] = cpu->held_locks[n];
}

/* lock is the one taken last, as it mostly is. */
static inline bool is_last_taken(const struct spinlock *lock)
{
    uint32_t n = this_cpu_read(percpu.nr_held_locks) - 1;

    return n < HELD_LOCKS_MAX && this_cpu_read(percpu.held_locks[n].lock) == lock;
}

static inline void release(struct spinlock *lock)
{
    this_cpu_write(percpu.nr_held_locks, this_cpu_read(percpu.nr_held_locks) - 1);
    lock->holder = 0;
    /* pairs with the acquire of the next holder */
    __atomic_store_n(&lock->now_serving, lock->now_serving + 1, __ATOMIC_RELEASE);
    this_cpu_write(percpu.preempt_off_depth, this_cpu_read(percpu.preempt_off_depth) - 1);
}

/* flags: for irq_restore; 0 leaves interrupts as they are. */
static NOINLINE void unlock_out_of_order(struct spinlock *lock, uint64_t flags)
{
    forget_out_of_order(lock);
    release(lock);
    irq_restore(flags);
}

static NOINLINE COLD void report_recursion(const struct spinlock *lock, const void *where)
{
    const struct percpu *cpu = this_cpu_read(percpu.self);
    const void *first = NULL;

    for (uint32_t i = 0; i < cpu->nr_held_locks && i < HELD_LOCKS_MAX; i++)
        if (cpu->held_locks[i].lock == lock)
            first = cpu->held_locks[i].acquired_at;
    spinlock_recursion(lock, first, where);
}

/* Out of line and complete, so that taking a free lock keeps nothing across a call. */
static NOINLINE void lock_contended(struct spinlock *lock, uint32_t ticket, const void *where)
{
    /* pairs with the release in spinlock_unlock */
    while (__atomic_load_n(&lock->now_serving, __ATOMIC_ACQUIRE) != ticket) {
        if (READ_ONCE(lock->holder) == this_cpu_mark())
            report_recursion(lock, where);
        cpu_relax();
    }
    note_acquired(lock, where);
}

static ALWAYS_INLINE void lock_from(struct spinlock *lock, const void *where)
{
    uint32_t ticket;

    this_cpu_write(percpu.preempt_off_depth, this_cpu_read(percpu.preempt_off_depth) + 1);
    ticket = __atomic_fetch_add(&lock->next_ticket, 1, __ATOMIC_RELAXED);
    /* pairs with the release in spinlock_unlock */
    if (UNLIKELY(__atomic_load_n(&lock->now_serving, __ATOMIC_ACQUIRE) != ticket))
        lock_contended(lock, ticket, where);
    else
        note_acquired(lock, where);
}

void spinlock_lock(struct spinlock *lock)
{
    lock_from(lock, __builtin_return_address(0));
}

void spinlock_unlock(struct spinlock *lock)
{
    ASSERT(lock->holder == this_cpu_mark());
    if (UNLIKELY(!is_last_taken(lock))) {
        unlock_out_of_order(lock, 0);
        return;
    }
    release(lock);
}

bool spinlock_try_lock(struct spinlock *lock)
{
    uint32_t serving = __atomic_load_n(&lock->now_serving, __ATOMIC_RELAXED), ticket = serving;

    this_cpu_write(percpu.preempt_off_depth, this_cpu_read(percpu.preempt_off_depth) + 1);
    if (!__atomic_compare_exchange_n(&lock->next_ticket, &ticket, serving + 1, false, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED)) {
        this_cpu_write(percpu.preempt_off_depth, this_cpu_read(percpu.preempt_off_depth) - 1);
        return false;
    }
    note_acquired(lock, __builtin_return_address(0));
    return true;
}

uint64_t spinlock_lock_irqsave(struct spinlock *lock)
{
    uint64_t flags = irq_save();

    lock_from(lock, __builtin_return_address(0));
    return flags;
}

void spinlock_unlock_irqrestore(struct spinlock *lock, uint64_t flags)
{
    ASSERT(lock->holder == this_cpu_mark());
    if (UNLIKELY(!is_last_taken(lock))) {
        unlock_out_of_order(lock, flags);
        return;
    }
    release(lock);
    irq_restore(flags);
}

bool spinlock_is_held(const struct spinlock *lock)
{
    return READ_ONCE(lock->holder) == this_cpu_mark();
}

void assert_held(const struct spinlock *lock)
{
    ASSERT(spinlock_is_held(lock));
}
