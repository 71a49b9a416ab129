/* CPUs that are halted with nobody to run need not be woken to forget translations: such a CPU has said so, who takes
 * mappings away leaves a mark, and the CPU forgets everything first thing when it wakes (tests/models/tlb_idle.pml).
 *
 *     BUSY -> IDLE          the CPU, before it halts
 *     IDLE -> IDLE_STALE    who takes mappings away: a mark
 *     IDLE, IDLE_STALE -> WAKING -> BUSY   the CPU, in the first interrupt, exception or NMI, which flushes meanwhile
 *
 * From saying so to the end of the flush the CPU may use no memory that could have been mapped anew meanwhile. What it
 * does use stays as it is for as long as it runs: the image, its per-CPU area, descriptor tables and emergency stacks,
 * and the stack it halts on. It may look ahead through old translations as it likes: nothing comes of that as long as
 * the tables are tables. So tables that were taken out are not freed before every CPU has been asked, idle or not.
 *
 * Orders:
 *  1. Who takes away: the entries, a full fence, then the look at the state. The CPU: WAKING by an exchange, then the
 *     flush. Who still saw IDLE_STALE, or made it, did so before the exchange: the flush and all walks after it come
 *     behind the new entries. Who came later sees WAKING or BUSY and interrupts.
 *  2. The CPU's use of mappings comes before IDLE (release), the mark before what the mappings are reused for (who left
 *     it goes on after it).
 *  3. An NMI between the exchange and the end of the flush finds WAKING and flushes for itself. */
#pragma once

#include <base/types.h>
#include <cpu/percpu.h>

enum tlb_idle_state { TLB_BUSY, TLB_IDLE, TLB_IDLE_STALE, TLB_WAKING };

extern PER_CPU uint32_t tlb_idle_state_; /* [a] enum tlb_idle_state */

/* This CPU halts now. Context: interrupts off; nothing but the halt follows. */
static ALWAYS_INLINE void tlb_say_idle(void)
{
    __atomic_store_n(this_cpu_pointer(tlb_idle_state_), TLB_IDLE, __ATOMIC_RELEASE); /* order 2 */
}

void tlb_wake_(void);

/* First thing in every trap, and after a halt that ends without one (an SMI may). Context: interrupts off, any. */
static ALWAYS_INLINE void tlb_wake(void)
{
    if (UNLIKELY(this_cpu_read(tlb_idle_state_) != TLB_BUSY))
        tlb_wake_();
}

/* Before a series of tlb_mark_idle: the entries that changed are seen before what it returns. Context: any. */
static ALWAYS_INLINE void tlb_mark_begin(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* order 1; pairs with the exchange in tlb_wake_ */
}

/* True where the CPU is idle, and will forget everything before it does anything; false: it has to be asked. Context:
 * any. */
MUST_CHECK bool tlb_mark_idle(uint32_t cpu);

/* How often the CPU has forgotten everything because of such a mark. Context: any; a moment old. */
uint64_t tlb_nr_idle_flushes(uint32_t cpu);
