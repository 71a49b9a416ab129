/* Spinning lock for many readers or one writer, first come, first served: a reader that comes after a waiting writer
 * waits behind it, so neither starves the other. As with the spinlock, holding one keeps this CPU from being preempted.
 *
 * Because of that order nobody takes one for reading twice: the second reading would wait for a writer that waits for
 * the first. So a lock that interrupt handlers take, even if only for reading, is taken with an irqsave form elsewhere,
 * by readers too.
 *
 *  1. Everybody draws a number from next_number. A reader goes in when reader_turn has come to its number, a writer
 *     when writer_turn has.
 *  2. reader_turn is raised by each reader as it goes in: those right behind it go in too. writer_turn is raised by
 *     each as it comes out: it reaches a writer's number when all before it are out.
 *  3. A writer raises both as it comes out, reader_turn first. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <cpu/interrupts.h>
#include <sync/lockdep.h>

struct rwlock {
    uint32_t next_number;    /* [a] */
    uint32_t reader_turn;    /* [a] */
    uint32_t writer_turn;    /* [a] */
    uint32_t writer;         /* [a] the number of the CPU that writes, plus 1; 0: none */
    const char *name;        /* [I] what it protects, as docs/locking.md calls it */
    const void *acquired_at; /* [l] by the writer */
    struct lockdep_map lockdep;
};

#define RWLOCK_INITIALIZER(lock_name) \
    {                                 \
        .name = (lock_name)           \
    }

void rwlock_init(struct rwlock *lock, const char *name);

/* Context: any that does not hold it, for reading or writing; a writer that asks again ends the kernel with a report
 * that names both places. The plain forms: nowhere that interrupt handlers take it too. */
void rwlock_read_lock(struct rwlock *lock);
void rwlock_read_unlock(struct rwlock *lock);
void rwlock_write_lock(struct rwlock *lock);
void rwlock_write_unlock(struct rwlock *lock);

/* True when it was taken, at once. Context: any. */
MUST_CHECK bool rwlock_try_read_lock(struct rwlock *lock);
MUST_CHECK bool rwlock_try_write_lock(struct rwlock *lock);

/* The same with interrupts off while held; they give what the unlock needs. */
uint64_t rwlock_read_lock_irqsave(struct rwlock *lock);
void rwlock_read_unlock_irqrestore(struct rwlock *lock, uint64_t flags);
uint64_t rwlock_write_lock_irqsave(struct rwlock *lock);
void rwlock_write_unlock_irqrestore(struct rwlock *lock, uint64_t flags);

/* True when this CPU holds it for writing. Context: any. */
bool rwlock_is_written_here(const struct rwlock *lock);

/* End the kernel: this CPU writes and asked again; ended writing and does not write. Implemented by debug/sync_report.c
 * and the host test support. */
NORETURN COLD void rwlock_recursion(const struct rwlock *lock, const void *first_taken_at, const void *taken_again_at);
NORETURN COLD void rwlock_not_held(const struct rwlock *lock);
