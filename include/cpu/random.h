/* Random numbers for the kernel's own secrets (stack canary, free-list keys), before and beside any entropy device. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

/* RDRAND where the CPU has it, always mixed with the time stamp counter and all earlier values. Not for cryptography
 * where there is no RDRAND. Context: any. */
uint64_t boot_random(void);

/* 64 bits of RDRAND (SDM 1, 7.3.17). False where the CPU has none or it gave none. Context: any. */
MUST_CHECK bool cpu_random(uint64_t *value);
