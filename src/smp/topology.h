/* Where a CPU sits, out of what CPUID says. Pure; host-tested. */
#pragma once

#include <base/types.h>
#include <cpu/registers.h>
#include <smp/cpu.h>

/* Bits of an APIC id: thread below core, core below package; package up to 31. */
struct topology_shifts {
    unsigned core, package;
};

/* From the subleaves of leaf 0xb or 0x1f, in order; false where they say nothing. */
bool topology_shifts_of_levels(const struct cpuid_result *levels, unsigned nr_levels, struct topology_shifts *shifts);

/* From how many ids leaves 1 and 4 say there are. */
struct topology_shifts topology_shifts_of_counts(uint32_t threads_of_package, uint32_t cores_of_package);

/* Of AMD's CPUs before leaf 0xb: ECX of leaf 0x80000008, and how many threads each core has. */
struct topology_shifts topology_shifts_of_amd(uint32_t ecx, uint32_t threads_of_core);

struct cpu_place topology_place(uint32_t apic_id, struct topology_shifts shifts);
