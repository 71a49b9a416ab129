/* Counter and CPUID of a model CPU: this shadows include/cpu/registers.h in unit/tsc. */
#pragma once

#include <base/types.h>

struct cpuid_result {
    uint32_t eax, ebx, ecx, edx;
};

uint64_t rdtsc(void);
struct cpuid_result cpuid(uint32_t leaf, uint32_t subleaf);
