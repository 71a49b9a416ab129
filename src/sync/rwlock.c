#include <sync/rwlock.h>

#include <cpu/percpu.h>
#include <cpu/preempt.h>

static uint32_t this_writer(void)
{
    return this_cpu_read(percpu.cpu_number) + 1;
}

void rwlock_init(struct rwlock *lock, const char *name)
{
    *lock = (struct rwlock)RWLOCK_INITIALIZER(name);
}

bool rwlock_is_written_here(const struct rwlock *lock)
{
    /* only this CPU writes its own number there: what others write meanwhile is another */
    return __atomic_load_n(&lock->writer, __ATOMIC_RELAXED) == this_writer();
}

static ALWAYS_INLINE void wait_for(const uint32_t *turn, uint32_t number)
{
    /* pairs with the releases below: what those before us did comes first */
    while (UNLIKELY(__atomic_load_n(turn, __ATOMIC_ACQUIRE) != number))
        cpu_relax();
}

/* Preemption is off from here on: readers and writers behind us wait for this CPU. */
static ALWAYS_INLINE uint32_t draw_number(struct rwlock *lock, const void *where)
{
    if (UNLIKELY(rwlock_is_written_here(lock))) /* it would wait for itself */
        rwlock_recursion(lock, lock->acquired_at, where);
    return __atomic_fetch_add(&lock->next_number, 1, __ATOMIC_RELAXED);
}

/* Those right behind us, if they are readers, go in too. Only the one whose turn it is writes it. */
static ALWAYS_INLINE void admit_next_reader(struct rwlock *lock, uint32_t number)
{
    __atomic_store_n(&lock->reader_turn, number + 1, __ATOMIC_RELEASE); /* pairs with wait_for */
}

static ALWAYS_INLINE void read_lock(struct rwlock *lock, const void *where)
{
    uint32_t number;

    lockdep_acquire(&lock->lockdep, lock->name, LOCKDEP_SHARED);
    number = draw_number(lock, where);
    wait_for(&lock->reader_turn, number);
    admit_next_reader(lock, number);
    lockdep_acquired(&lock->lockdep);
}

static ALWAYS_INLINE void read_unlock(struct rwlock *lock)
{
    lockdep_release(&lock->lockdep);
    /* release: what we read was read before; pairs with wait_for of a writer */
    __atomic_fetch_add(&lock->writer_turn, 1, __ATOMIC_RELEASE);
}

static ALWAYS_INLINE void note_writer(struct rwlock *lock, const void *where)
{
    __atomic_store_n(&lock->writer, this_writer(), __ATOMIC_RELAXED);
    lock->acquired_at = where;
}

static ALWAYS_INLINE void write_lock(struct rwlock *lock, const void *where)
{
    lockdep_acquire(&lock->lockdep, lock->name, 0);
    wait_for(&lock->writer_turn, draw_number(lock, where));
    note_writer(lock, where);
    lockdep_acquired(&lock->lockdep);
}

/* reader_turn has stood at our number since those before us went in. It is raised first: once writer_turn is, another
 * writer may be out and have raised both again. A reader that is let in may be out before we are, so writer_turn
 * counts.
 */
static ALWAYS_INLINE void write_unlock(struct rwlock *lock)
{
    if (UNLIKELY(!rwlock_is_written_here(lock)))
        rwlock_not_held(lock);
    lockdep_release(&lock->lockdep);
    __atomic_store_n(&lock->writer, 0, __ATOMIC_RELAXED);
    admit_next_reader(lock, lock->reader_turn);
    __atomic_fetch_add(&lock->writer_turn, 1, __ATOMIC_RELEASE); /* pairs with wait_for */
}

void rwlock_read_lock(struct rwlock *lock)
{
    preempt_disable();
    read_lock(lock, __builtin_return_address(0));
}

void rwlock_read_unlock(struct rwlock *lock)
{
    read_unlock(lock);
    preempt_enable();
}

void rwlock_write_lock(struct rwlock *lock)
{
    preempt_disable();
    write_lock(lock, __builtin_return_address(0));
}

void rwlock_write_unlock(struct rwlock *lock)
{
    write_unlock(lock);
    preempt_enable();
}

/* The turn is ours if the number we would draw is the one it has come to: drawn only then. */
static bool try_draw(struct rwlock *lock, const uint32_t *turn, uint32_t *number)
{
    *number = __atomic_load_n(turn, __ATOMIC_ACQUIRE); /* as in wait_for */
    return __atomic_compare_exchange_n(&lock->next_number, &(uint32_t){*number}, *number + 1, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

bool rwlock_try_read_lock(struct rwlock *lock)
{
    uint32_t number;

    preempt_disable();
    if (!try_draw(lock, &lock->reader_turn, &number)) {
        preempt_enable();
        return false;
    }
    admit_next_reader(lock, number);
    lockdep_acquire(&lock->lockdep, lock->name, LOCKDEP_SHARED | LOCKDEP_TRY);
    return true;
}

bool rwlock_try_write_lock(struct rwlock *lock)
{
    uint32_t number;

    preempt_disable();
    if (!try_draw(lock, &lock->writer_turn, &number)) {
        preempt_enable();
        return false;
    }
    note_writer(lock, __builtin_return_address(0));
    lockdep_acquire(&lock->lockdep, lock->name, LOCKDEP_TRY);
    return true;
}

uint64_t rwlock_read_lock_irqsave(struct rwlock *lock)
{
    uint64_t flags = irq_save();

    read_lock(lock, __builtin_return_address(0));
    return flags;
}

void rwlock_read_unlock_irqrestore(struct rwlock *lock, uint64_t flags)
{
    read_unlock(lock);
    irq_restore(flags);
}

uint64_t rwlock_write_lock_irqsave(struct rwlock *lock)
{
    uint64_t flags = irq_save();

    write_lock(lock, __builtin_return_address(0));
    return flags;
}

void rwlock_write_unlock_irqrestore(struct rwlock *lock, uint64_t flags)
{
    write_unlock(lock);
    irq_restore(flags);
}
