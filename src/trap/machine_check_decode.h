/* A bank's status register in words. Pure C. */
#pragma once

#include <base/types.h>

/* IA32_MCi_STATUS (SDM 3B figure 15-6). */
#define MCI_STATUS_VALID           ((uint64_t)1 << 63)
#define MCI_STATUS_OVERFLOW        ((uint64_t)1 << 62)
#define MCI_STATUS_UNCORRECTED     ((uint64_t)1 << 61)
#define MCI_STATUS_ENABLED         ((uint64_t)1 << 60)
#define MCI_STATUS_MISC_VALID      ((uint64_t)1 << 59)
#define MCI_STATUS_ADDRESS_VALID   ((uint64_t)1 << 58)
#define MCI_STATUS_CONTEXT_CORRUPT ((uint64_t)1 << 57)

/* False for bank 0 of Intel's family 6 before model 0x1a, where its IA32_MCi_CTL is another register, the platform's
 * (SDM 3B 15.3.2.1 and example 15-1). */
bool machine_check_may_control(const char *vendor, unsigned family, unsigned model, unsigned bank);

/* "VAL UC EN MISCV ADDRV PCC". */
void machine_check_format_flags(char *buffer, size_t size, uint64_t status);

/* "data read from the data cache, level 0", from the error code in bits 0 to 15 (SDM 3B 15.9). */
void machine_check_format_code(char *buffer, size_t size, uint64_t status);
