/* The time stamp counter as a clock for logs and reports (SDM 3B 18.17), until the time subsystem has a better one. */
#pragma once

#include <base/types.h>

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

/* Nanoseconds since kernel entry; 0 before tsc_init. Context: any. */
uint64_t tsc_now_ns(void);

/* Counter ticks since kernel entry: under QEMU's -icount shift=0, guest instructions. Context: any. */
uint64_t tsc_since_entry(void);
