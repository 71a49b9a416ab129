/* Fair spinlock. Holding one keeps this CPU from being preempted; the irqsave forms also keep interrupts off. A lock
 * that interrupt handlers take is always taken with an irqsave form elsewhere. The locks a CPU holds are a list, last
 * taken first, with where each was taken, for reports.
 *
 *  1. users is 0 when the lock is free, else minus the number of CPUs that hold it or want it: taking and giving back a
 *     lock that nobody else wants is one atomic instruction each, whose carry flag tells.
 *  2. Who finds it taken draws a ticket and waits until more grants than that were given: first come, first served, and
 *     nobody who comes later can slip in, because users is not 0 meanwhile.
 *  3. Only a holder that is giving back writes grants; a grant hands the lock over, it is never free in between.
 *
 * tests/models/spinlock.pml is checked for 1 to 3. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <cpu/code_address.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <cpu/preempt.h>
#include <sync/lockdep.h>

struct spinlock {
    uint32_t users;              /* [a] */
    uint32_t next_ticket;        /* [a] of those who wait */
    uint32_t grants;             /* [a] written by the holder only */
    const char *name;            /* [I] what it protects, as docs/locking.md calls it */
    struct spinlock *held_below; /* [l] the lock this CPU had taken before */
    const void *acquired_at;     /* [l] */
    struct lockdep_map lockdep;
};

#define SPINLOCK_INITIALIZER(lock_name) \
    {                                   \
        .name = (lock_name)             \
    }

void spinlock_init(struct spinlock *lock, const char *name);

/* True when this CPU holds it. Context: any. */
bool spinlock_is_held(const struct spinlock *lock);
void assert_held(const struct spinlock *lock);

/* The parts of the operations below; the first two return true where nobody else had or wants the lock. */
static ALWAYS_INLINE bool spinlock_take_(struct spinlock *lock)
{
    bool was_free;

    /* pairs with the locked addition, or the grant, of the holder before us */
    __asm__ volatile("lock subl $1, %0" : "+m"(lock->users), "=@ccc"(was_free) : : "memory");
    return was_free;
}

static ALWAYS_INLINE bool spinlock_give_(struct spinlock *lock)
{
    bool is_free;

    /* pairs with the locked subtraction of the next holder */
    __asm__ volatile("lock addl $1, %0" : "+m"(lock->users), "=@ccc"(is_free) : : "memory");
    return is_free;
}

static ALWAYS_INLINE void spinlock_note_held_(struct spinlock *lock)
{
    lock->held_below = this_cpu_read(percpu.held_locks);
    this_cpu_write(percpu.held_locks, lock);
}

void spinlock_wait_(struct spinlock *lock, const void *where);
void spinlock_grant_(struct spinlock *lock);
void spinlock_forget_(struct spinlock *lock);

/* Takes the lock where interrupts are off, and stay so until spinlock_unlock_irq_off: those two leave preemption alone.
 * Taking a lock twice on one CPU ends in a report naming both places. A macro, so that what is recorded is the caller's
 * line. Context: irq-off. */
#define spinlock_lock_irq_off(lock)                               \
    ({                                                            \
        struct spinlock *spinlock_ = (lock);                      \
        lockdep_acquire(&spinlock_->lockdep, spinlock_->name, 0); \
        if (UNLIKELY(!spinlock_take_(spinlock_))) {               \
            const void *where_ = CODE_ADDRESS();                  \
            lockdep_contended(&spinlock_->lockdep);               \
            spinlock_wait_(spinlock_, where_);                    \
        }                                                         \
        spinlock_note_held_(spinlock_);                           \
        STORE_CODE_ADDRESS(spinlock_->acquired_at);               \
        lockdep_acquired(&spinlock_->lockdep);                    \
    })

/* Takes the lock, preemption off before and until it is given back. Context: any that does not hold it. */
#define spinlock_lock(lock)          \
    ({                               \
        preempt_disable();           \
        spinlock_lock_irq_off(lock); \
    })

/* True when it took the lock, with preemption off until it is given back. Context: any. */
#define spinlock_try_lock(lock)                                                                                        \
    ({                                                                                                                 \
        struct spinlock *spinlock_ = (lock);                                                                           \
        uint32_t nobody_ = 0;                                                                                          \
        preempt_disable();                                                                                             \
        /* pairs as in spinlock_take_ */                                                                               \
        bool is_taken_ = __atomic_compare_exchange_n(&spinlock_->users, &nobody_, UINT32_MAX, false, __ATOMIC_ACQUIRE, \
                                                     __ATOMIC_RELAXED);                                                \
        if (is_taken_) {                                                                                               \
            spinlock_note_held_(spinlock_);                                                                            \
            lockdep_acquire(&spinlock_->lockdep, spinlock_->name, LOCKDEP_TRY);                                        \
            STORE_CODE_ADDRESS(spinlock_->acquired_at);                                                                \
        } else {                                                                                                       \
            preempt_enable();                                                                                          \
        }                                                                                                              \
        is_taken_;                                                                                                     \
    })

/* As spinlock_lock, interrupts off while held. Gives what the unlock needs. */
#define spinlock_lock_irqsave(lock)   \
    ({                                \
        uint64_t flags_ = irq_save(); \
        spinlock_lock_irq_off(lock);  \
        flags_;                       \
    })

static ALWAYS_INLINE void spinlock_unlock_irq_off(struct spinlock *lock)
{
    lockdep_release(&lock->lockdep);
    if (LIKELY(this_cpu_read(percpu.held_locks) == lock))
        this_cpu_write(percpu.held_locks, lock->held_below);
    else
        spinlock_forget_(lock); /* out of order, or not held at all */
    if (UNLIKELY(!spinlock_give_(lock)))
        spinlock_grant_(lock);
}

static ALWAYS_INLINE void spinlock_unlock(struct spinlock *lock)
{
    spinlock_unlock_irq_off(lock);
    preempt_enable();
}

static ALWAYS_INLINE void spinlock_unlock_irqrestore(struct spinlock *lock, uint64_t flags)
{
    spinlock_unlock_irq_off(lock);
    irq_restore(flags);
    schedule_point();
}

/* Every other CPU was stopped for good, for the last report: what they hold is never given back, and nobody waits for
 * it from here on. Context: irq-off, the last report. */
void spinlock_give_up_waiting(void);

/* End the kernel: this CPU asked for a lock it holds; gave back one it does not hold. Implemented by debug/panic.c and
 * the host test support. */
NORETURN COLD void spinlock_recursion(const struct spinlock *lock, const void *first_taken_at,
                                      const void *taken_again_at);
NORETURN COLD void spinlock_not_held(const struct spinlock *lock);
