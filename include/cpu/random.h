/* Random numbers for the kernel's own secrets (stack canary, free-list keys), before and beside any entropy device. */
#pragma once

#include <base/types.h>

/* RDRAND where the CPU has it, always mixed with the time stamp counter and all earlier values. Not for cryptography
 * where there is no RDRAND. Context: any. */
uint64_t boot_random(void);
