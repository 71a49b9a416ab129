/* Control registers, model-specific registers, CPUID and the time stamp counter, one instruction each. Context: any. */
#pragma once

#include <base/address.h>
#include <base/types.h>

#define MSR_EFER           0xc0000080u /* SDM 4, table 2-2 */
#define MSR_FS_BASE        0xc0000100u
#define MSR_GS_BASE        0xc0000101u
#define MSR_KERNEL_GS_BASE 0xc0000102u
#define MSR_PAT            0x277u

#define EFER_SCE (1u << 0)
#define EFER_LME (1u << 8)
#define EFER_LMA (1u << 10)
#define EFER_NXE (1u << 11)

#define CR0_MP (1u << 1) /* SDM 3A 2.5 */
#define CR0_EM (1u << 2)
#define CR0_TS (1u << 3)
#define CR0_NE (1u << 5)
#define CR0_WP (1u << 16)
#define CR0_AM (1u << 18)
#define CR0_NW (1u << 29)
#define CR0_CD (1u << 30)
#define CR0_PG (1u << 31)

#define CR4_PAE        (1u << 5)
#define CR4_OSFXSR     (1u << 9)
#define CR4_OSXMMEXCPT (1u << 10)
#define CR4_OSXSAVE    (1u << 18)
#define CR4_MCE        (1u << 6)
#define CR4_PGE        (1u << 7)
#define CR4_UMIP       (1u << 11)
#define CR4_LA57       (1u << 12)
#define CR4_SMEP       (1u << 20)
#define CR4_SMAP       (1u << 21)

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

static inline uint64_t rdtsc(void)
{
    uint64_t low, high; /* their upper halves are cleared (SDM 2B, RDTSC) */
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return high << 32 | low;
}

struct cpuid_result {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid_result cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_result r;
    __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
    return r;
}

#define DEFINE_REGISTER_ACCESS_(name)                                   \
    static inline uint64_t read_##name(void)                            \
    {                                                                   \
        uint64_t value;                                                 \
        __asm__ volatile("mov %%" #name ", %0" : "=r"(value));          \
        return value;                                                   \
    }                                                                   \
    static inline void write_##name(uint64_t value)                     \
    {                                                                   \
        __asm__ volatile("mov %0, %%" #name : : "r"(value) : "memory"); \
    }

DEFINE_REGISTER_ACCESS_(cr0)
DEFINE_REGISTER_ACCESS_(cr2)
DEFINE_REGISTER_ACCESS_(cr3)
DEFINE_REGISTER_ACCESS_(cr4)

/* All caches of this CPU are written back and emptied. */
static inline void wbinvd(void)
{
    __asm__ volatile("wbinvd" : : : "memory");
}

static inline void invlpg(vaddr_t address)
{
    __asm__ volatile("invlpg (%0)" : : "r"(address.value) : "memory");
}
