/* Each CPU in turn, under a lock, reads its counter and compares it with the last one that was read. The lock orders
 * the readings; one that is smaller than the one before it was read by a CPU whose counter is behind. */
#include <time/tsc_compare.h>

#include <cpu/interrupts.h>
#include <cpu/registers.h>

/* Not before what came before is done (SDM 2B, RDTSC). */
static uint64_t ordered_rdtsc(void)
{
    uint64_t count;

    __asm__ volatile("lfence" : : : "memory");
    count = rdtsc();
    __asm__ volatile("lfence" : : : "memory");
    return count;
}

static void compare_once(struct tsc_comparison *comparison)
{
    uint64_t now;

    spinlock_lock(&comparison->lock);
    now = ordered_rdtsc();
    if (now < comparison->last && comparison->last - now > comparison->behind_ticks)
        comparison->behind_ticks = comparison->last - now;
    comparison->last = now;
    spinlock_unlock(&comparison->lock);
}

void tsc_compare(struct tsc_comparison *comparison, unsigned nr_cpus, unsigned rounds, uint64_t patience_ticks)
{
    uint64_t flags = irq_save(), begin = rdtsc();

    __atomic_add_fetch(&comparison->nr_arrived, 1, __ATOMIC_ACQ_REL); /* pairs with the others' */
    while (__atomic_load_n(&comparison->nr_arrived, __ATOMIC_ACQUIRE) < nr_cpus && rdtsc() - begin < patience_ticks)
        cpu_relax();
    for (unsigned i = 0; i < rounds; i++) {
        compare_once(comparison);
        cpu_relax(); /* the others' turn */
    }
    /* Nobody who has the patience leaves before all have read: the last reading of each comes after one of every
     * other's. */
    begin = rdtsc();
    __atomic_add_fetch(&comparison->nr_finished, 1, __ATOMIC_ACQ_REL); /* pairs with the others' */
    while (__atomic_load_n(&comparison->nr_finished, __ATOMIC_ACQUIRE) < nr_cpus && rdtsc() - begin < patience_ticks)
        cpu_relax();
    compare_once(comparison);
    irq_restore(flags);
}
