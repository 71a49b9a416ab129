/* Control register bits that only ever get set. */
#include <cpu/protection.h>

#include <base/compiler.h>
#include <cpu/features.h>
#include <cpu/registers.h>

void cpu_enable_protections(void)
{
    uint64_t cr4 = read_cr4();

    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
    write_cr0(read_cr0() | CR0_WP);
    if (cpu_has(CPU_PGE))
        cr4 |= CR4_PGE;
    if (cpu_has(CPU_SMEP))
        cr4 |= CR4_SMEP;
    if (cpu_has(CPU_SMAP))
        cr4 |= CR4_SMAP;
    if (cpu_has(CPU_UMIP))
        cr4 |= CR4_UMIP;
    write_cr4(cr4);
}
