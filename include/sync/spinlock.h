/* Fair (ticket) spinlock. Holding one keeps this CPU from being preempted; the irqsave forms also keep interrupts off.
 * A lock that interrupt handlers take is always taken with an irqsave form elsewhere. The locks a CPU holds are
 * recorded in its struct percpu, with where each was taken, for reports. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

struct spinlock {
    uint32_t next_ticket; /* [a] */
    uint32_t now_serving; /* [a] written by the holder only */
    const char *name;     /* [I] what it protects, as docs/locking.md calls it */
    uint32_t holder;      /* [l] CPU number + 1; 0 when free */
};

#define SPINLOCK_INITIALIZER(lock_name) \
    {                                   \
        .name = (lock_name)             \
    }

void spinlock_init(struct spinlock *lock, const char *name);

/* Context: any that may not already hold the lock; taking it twice on one CPU ends in a panic naming both places. */
void spinlock_lock(struct spinlock *lock);
void spinlock_unlock(struct spinlock *lock);

/* Returns true when it took the lock. Context: any. */
MUST_CHECK bool spinlock_try_lock(struct spinlock *lock);

/* As lock, interrupts off while held. Returns what the unlock needs. */
MUST_CHECK uint64_t spinlock_lock_irqsave(struct spinlock *lock);
void spinlock_unlock_irqrestore(struct spinlock *lock, uint64_t flags);

/* True when this CPU holds it. */
bool spinlock_is_held(const struct spinlock *lock);
void assert_held(const struct spinlock *lock);

/* Ends the kernel: this CPU asked for a lock it holds. Implemented by debug/panic.c and the host test support. */
NORETURN COLD void spinlock_recursion(const struct spinlock *lock, const void *first_taken_at,
                                      const void *taken_again_at);
