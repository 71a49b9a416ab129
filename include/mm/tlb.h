/* Translation lookaside buffers (SDM 3A 4.10). The one place where translations are forgotten, on every CPU: when a
 * call returns, no CPU uses the old ones any more. Context: any but NMI and machine check, interrupts on or off, no
 * spinlock held once several CPUs run (asserted): a CPU may be waiting for that lock, interrupts off, and would never
 * answer. */
#pragma once

#include <base/address.h>

/* After entries of this range were cleared or restricted; global pages included. A CPU that is halted idle is not
 * woken: it forgets before it uses memory again (mm/tlb_idle.h). */
void tlb_flush_range(vaddr_t base, uint64_t length);

/* The same where tables below it were taken out as well: those may be freed afterwards. */
void tlb_flush_tables(vaddr_t base, uint64_t length);

/* Everything, global pages included. */
void tlb_flush_all(void);

/* The same on this CPU alone. Context: any. */
void tlb_flush_local(void);
void tlb_flush_local_range(vaddr_t base, uint64_t length);

/* Who can reach other CPUs says how: flush_others has every other CPU call tlb_flush_local_range, and returns when all
 * have; where has_tables is false, tlb_mark_idle will do for a CPU. Context: init. */
typedef void (*tlb_flush_others)(vaddr_t base, uint64_t length, bool has_tables);
void tlb_set_others(tlb_flush_others flush_others);
