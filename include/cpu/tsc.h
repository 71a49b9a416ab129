/* The time stamp counter as a clock for logs and reports (SDM 3B 18.17), until the time subsystem has a better one. */
#pragma once

#include <base/compiler.h>
#include <base/multiply.h>
#include <base/types.h>
#include <cpu/registers.h>

enum tsc_source { TSC_ASSUMED, TSC_CPUID, TSC_HYPERVISOR, TSC_PIT };

/* Finds the counter's frequency: told by CPUID, else measured against the PIT in 1 ms, else assumed to be 1 GHz.
 * entry_tsc is the counter's value at the kernel's first instruction, which becomes time 0. Context: init, once. */
void tsc_init(uint64_t entry_tsc);

uint64_t tsc_frequency_hz(void);
enum tsc_source tsc_frequency_source(void);
const char *tsc_source_name(enum tsc_source source); /* "told by CPUID" ... */

/* Somebody has measured it better: tsc_now_ns goes on from here, without a step, at this rate. hz is not 0. Context:
 * init. */
void tsc_correct_frequency(uint64_t hz);

/* What tsc_now_ns is made of. */
struct tsc_scale {
    uint64_t base_ticks; /* of the counter itself */
    uint64_t base_ns;    /* at base_ticks */
    uint64_t multiplier; /* nanoseconds a tick, times 2^32; 0 before tsc_init */
};
extern struct tsc_scale tsc_scale_;

/* Nanoseconds since kernel entry; 0 before tsc_init. Context: any. */
uint64_t tsc_now_ns(void);

/* The same, for where a switch between threads is made. */
static ALWAYS_INLINE uint64_t tsc_now_ns_inline(void)
{
    uint64_t ticks = rdtsc() - tsc_scale_.base_ticks;

    return tsc_scale_.base_ns + multiply_and_shift(ticks, tsc_scale_.multiplier, 32);
}

/* Counter ticks since kernel entry: under QEMU's -icount shift=0, guest instructions. Context: any. */
uint64_t tsc_since_entry(void);
