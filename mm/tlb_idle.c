#include <mm/tlb_idle.h>

#include <mm/tlb.h>

PER_CPU uint32_t tlb_idle_state_;   /* [a] */
static PER_CPU uint64_t nr_flushes; /* [c] in whatever woke the CPU */

void tlb_wake_(void)
{
    uint32_t *state = this_cpu_pointer(tlb_idle_state_);
    uint32_t old = __atomic_exchange_n(state, TLB_WAKING, __ATOMIC_SEQ_CST); /* order 1 */

    if (old == TLB_IDLE_STALE || old == TLB_WAKING) {
        tlb_flush_local();
        this_cpu_write(nr_flushes, this_cpu_read(nr_flushes) + 1);
    }
    __atomic_store_n(state, TLB_BUSY, __ATOMIC_RELEASE);
}

bool tlb_mark_idle(uint32_t cpu)
{
    uint32_t *state = percpu_of(cpu, tlb_idle_state_);
    uint32_t old = __atomic_load_n(state, __ATOMIC_RELAXED); /* tlb_mark_begin */

    if (old == TLB_IDLE)
        (void)__atomic_compare_exchange_n(state, &old, TLB_IDLE_STALE, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
    return old == TLB_IDLE || old == TLB_IDLE_STALE; /* what it was before: IDLE only where it is marked now */
}

uint64_t tlb_nr_idle_flushes(uint32_t cpu)
{
    return READ_ONCE(*percpu_of(cpu, nr_flushes));
}
