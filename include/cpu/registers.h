/* Control registers, model-specific registers, CPUID and the time stamp counter, one instruction each. Context: any. */
#pragma once

#include <base/address.h>
#include <base/types.h>

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
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
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

#define DEFINE_REGISTER_ACCESS_(name)                                                                                  \
    static inline uint64_t read_##name(void)                                                                           \
    {                                                                                                                  \
        uint64_t value;                                                                                                \
        __asm__ volatile("mov %%" #name ", %0" : "=r"(value));                                                         \
        return value;                                                                                                  \
    }                                                                                                                  \
    static inline void write_##name(uint64_t value)                                                                    \
    {                                                                                                                  \
        __asm__ volatile("mov %0, %%" #name : : "r"(value) : "memory");                                                \
    }

DEFINE_REGISTER_ACCESS_(cr0)
DEFINE_REGISTER_ACCESS_(cr2)
DEFINE_REGISTER_ACCESS_(cr3)
DEFINE_REGISTER_ACCESS_(cr4)

static inline void invlpg(vaddr_t address)
{
    __asm__ volatile("invlpg (%0)" : : "r"(address.value) : "memory");
}
