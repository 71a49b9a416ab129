/* The boot CPU's memory type ranges are kept, and each CPU that starts compares its own with them, and sets them where
 * they differ: firmware may leave that to the system, and INIT resets them in QEMU (7.2). */
#include "internal.h"

#include <base/errno.h>
#include <cpu/features.h>
#include <cpu/registers.h>
#include <debug/log.h>
#include <lib/error_name.h>
#include <mm/kmalloc.h>

#include "mtrr.h"

static struct mtrr_values *boot_cpu; /* [I] before CPUs start; stays, for one that comes late. NULL: none */
static uint32_t nr_corrected;        /* [a] */
static struct mtrr_difference first; /* [I] once that CPU is ready: written by who makes nr_corrected 1 */

static uint64_t read_msr(uint32_t msr)
{
    return rdmsr(msr);
}

INIT void mtrr_note_boot_cpu(void)
{
    uint32_t nr;

    if (!cpu_has(CPU_MTRR))
        return;
    nr = mtrr_count(rdmsr(MSR_MTRRCAP));
    boot_cpu = kmalloc(sizeof(*boot_cpu) + nr * sizeof(boot_cpu->values[0]), ALLOC_NORMAL);
    if (!boot_cpu) {
        log_warn("smp: memory type ranges are not compared: %s", error_name(-ENOMEM));
        return;
    }
    boot_cpu->nr = nr;
    mtrr_read(boot_cpu, read_msr);
}

static void write_msr(uint32_t msr, uint64_t value)
{
    wrmsr(msr, value);
}

/* SDM 3A 11.11.7.2, for a CPU on which nothing else runs: nothing is cached while types change. */
static void set_as_boot_cpu(void)
{
    uint64_t cr0 = read_cr0(), cr4 = read_cr4();

    write_cr0((cr0 | CR0_CD) & ~(uint64_t)CR0_NW);
    wbinvd();
    write_cr4(cr4 & ~(uint64_t)CR4_PGE);
    write_cr3(read_cr3());
    mtrr_write(boot_cpu, write_msr);
    wbinvd();
    write_cr3(read_cr3());
    write_cr0(cr0);
    write_cr4(cr4);
}

static void say(const char *outcome, uint32_t apic_id, const struct mtrr_difference *difference)
{
    log_warn("smp: the CPU with APIC id %u %s: %u memory type registers, the first is MSR 0x%x with 0x%lx, not 0x%lx",
             apic_id, outcome, difference->nr, difference->msr, difference->found, difference->expected);
}

void mtrr_check(uint32_t apic_id)
{
    struct mtrr_difference difference, left;

    if (!boot_cpu)
        return;
    difference = mtrr_compare(boot_cpu, read_msr);
    if (difference.nr == 0)
        return;
    if (difference.msr == MSR_MTRRCAP) {
        say("has others than CPU 0", apic_id, &difference);
        return;
    }
    set_as_boot_cpu();
    left = mtrr_compare(boot_cpu, read_msr);
    if (left.nr > 0)
        say("does not take CPU 0's", apic_id, &left);
    else if (__atomic_fetch_add(&nr_corrected, 1, __ATOMIC_RELAXED) == 0) /* the boot CPU says how many */
        first = difference;
}

INIT void mtrr_say_corrected(void)
{
    uint32_t nr = __atomic_load_n(&nr_corrected, __ATOMIC_RELAXED); /* of CPUs seen to be ready: ordered by that */

    if (nr > 0)
        log_info("smp: memory type ranges of %u CPUs set as on CPU 0: %u registers, the first MSR 0x%x with 0x%lx, not "
                 "0x%lx",
                 nr, first.nr, first.msr, first.found, first.expected);
}
