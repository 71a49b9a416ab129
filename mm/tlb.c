/* Forgetting translations. INVLPG also forgets all cached paging structures (SDM 3A 4.10.4.1), so it covers tables that
 * were taken out. */
#include <mm/tlb.h>

#include <base/address.h>
#include <cpu/interrupts.h>
#include <cpu/preempt.h>
#include <cpu/registers.h>

#define FLUSH_ALL_FROM 32u /* pages; more cost less as one flush of everything */

static tlb_flush_others flush_others; /* [a] */

void tlb_set_others(tlb_flush_others function)
{
    __atomic_store_n(&flush_others, function, __ATOMIC_RELEASE); /* pairs with the acquire below */
}

static void tell_others(vaddr_t base, uint64_t length, bool has_tables)
{
    tlb_flush_others function = __atomic_load_n(&flush_others, __ATOMIC_ACQUIRE);

    if (function)
        function(base, length, has_tables);
}

void tlb_flush_local(void)
{
    uint64_t flags = irq_save();
    uint64_t cr4 = read_cr4();

    if (cr4 & CR4_PGE) {
        /* Changing CR4.PGE forgets global pages too; a CR3 write would keep them. */
        write_cr4(cr4 & ~(uint64_t)CR4_PGE);
        write_cr4(cr4);
    } else {
        write_cr3(read_cr3());
    }
    irq_restore(flags);
}

void tlb_flush_local_range(vaddr_t base, uint64_t length)
{
    if (length / PAGE_SIZE >= FLUSH_ALL_FROM) {
        tlb_flush_local();
        return;
    }
    for (uint64_t offset = 0; offset < length; offset += PAGE_SIZE)
        invlpg(vaddr_add(base, offset));
}

/* Preemption is off: the others are all but this CPU, so it has to be the one that forgot. */
static void flush(vaddr_t base, uint64_t length, bool has_tables)
{
    preempt_disable();
    tlb_flush_local_range(base, length);
    tell_others(base, length, has_tables);
    preempt_enable();
}

void tlb_flush_range(vaddr_t base, uint64_t length)
{
    flush(base, length, false);
}

void tlb_flush_tables(vaddr_t base, uint64_t length)
{
    flush(base, length, true);
}

void tlb_flush_all(void)
{
    flush(vaddr(0), UINT64_MAX, true);
}
