/* Data that is read often and written seldom, by readers who take no lock: a reader copies, and copies again when a
 * writer was at work meanwhile. The data holds no pointers to what a writer may free, and every access to it, on both
 * sides, is READ_ONCE or WRITE_ONCE or atomic: readers see it half written before they throw it away.
 *
 *     do {
 *         start = seqlock_read_begin(&lock);
 *         copy = READ_ONCE(shared);
 *     } while (seqlock_read_retry(&lock, start));
 *
 *  1. sequence is odd while a writer writes.
 *  2. A writer's stores come after the store that makes it odd, and before the one that makes it even.
 *  3. A reader's loads come after the load of an even sequence and before the second look: where both are equal, no
 *     writer wrote in between.
 *
 * Readers wait for a writer, so the writer is never interrupted by one: whoever writes has preemption off, and
 * interrupts too where readers are interrupt handlers (the irqsave forms). Who may have interrupted the writer all the
 * same (NMI, machine check, report) uses seqlock_read_try. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <cpu/interrupts.h>
#include <sync/spinlock.h>

/* The sequence alone, where writers exclude each other by a lock of their own. */
struct seqcount {
    uint32_t sequence; /* [a] */
};

/* False while somebody writes. Context: any, NMI too. */
MUST_CHECK static inline bool seqcount_read_try(const struct seqcount *count, uint32_t *start)
{
    /* pairs with the release in seqcount_write_end */
    uint32_t sequence = __atomic_load_n(&count->sequence, __ATOMIC_ACQUIRE);

    if (sequence & 1)
        return false;
    *start = sequence;
    return true;
}

/* Context: any but NMI. */
MUST_CHECK static inline uint32_t seqcount_read_begin(const struct seqcount *count)
{
    uint32_t start;

    while (UNLIKELY(!seqcount_read_try(count, &start)))
        cpu_relax();
    return start;
}

/* True when what was read since is not to be used. */
MUST_CHECK static inline bool seqcount_read_retry(const struct seqcount *count, uint32_t start)
{
    /* the loads above stay above; pairs with the fence in seqcount_write_begin */
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return UNLIKELY(__atomic_load_n(&count->sequence, __ATOMIC_RELAXED) != start);
}

/* One writer at a time, not preempted until seqcount_write_end. */
static inline void seqcount_write_begin(struct seqcount *count)
{
    __atomic_store_n(&count->sequence, count->sequence + 1, __ATOMIC_RELAXED);
    /* the stores below stay below; pairs with the fence in seqcount_read_retry */
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

static inline void seqcount_write_end(struct seqcount *count)
{
    /* pairs with the acquire in seqcount_read_try */
    __atomic_store_n(&count->sequence, count->sequence + 1, __ATOMIC_RELEASE);
}

/* With a lock that writers take. */
struct seqlock {
    struct seqcount count;
    struct spinlock lock;
};

#define SEQLOCK_INITIALIZER(lock_name)          \
    {                                           \
        .lock = SPINLOCK_INITIALIZER(lock_name) \
    }

static inline void seqlock_init(struct seqlock *lock, const char *name)
{
    *lock = (struct seqlock)SEQLOCK_INITIALIZER(name);
}

MUST_CHECK static inline bool seqlock_read_try(const struct seqlock *lock, uint32_t *start)
{
    return seqcount_read_try(&lock->count, start);
}

MUST_CHECK static inline uint32_t seqlock_read_begin(const struct seqlock *lock)
{
    return seqcount_read_begin(&lock->count);
}

MUST_CHECK static inline bool seqlock_read_retry(const struct seqlock *lock, uint32_t start)
{
    return seqcount_read_retry(&lock->count, start);
}

/* Writing, where no reader is an interrupt handler. */
#define seqlock_write_lock(sequence_lock)           \
    ({                                              \
        struct seqlock *seqlock_ = (sequence_lock); \
        spinlock_lock(&seqlock_->lock);             \
        seqcount_write_begin(&seqlock_->count);     \
    })

static inline void seqlock_write_unlock(struct seqlock *lock)
{
    seqcount_write_end(&lock->count);
    spinlock_unlock(&lock->lock);
}

/* Writing, with interrupts off meanwhile. Gives what the unlock needs. */
#define seqlock_write_lock_irqsave(sequence_lock)                    \
    ({                                                               \
        struct seqlock *seqlock_ = (sequence_lock);                  \
        uint64_t seqflags_ = spinlock_lock_irqsave(&seqlock_->lock); \
        seqcount_write_begin(&seqlock_->count);                      \
        seqflags_;                                                   \
    })

static inline void seqlock_write_unlock_irqrestore(struct seqlock *lock, uint64_t flags)
{
    seqcount_write_end(&lock->count);
    spinlock_unlock_irqrestore(&lock->lock, flags);
}
