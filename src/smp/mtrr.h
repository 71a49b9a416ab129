/* Memory type range registers (SDM 3A 11.11): what the firmware has set on the boot CPU has to be the same on all. */
#pragma once

#include <base/types.h>

#define MSR_MTRRCAP      0xfeu  /* SDM 3A 11.11.1 */
#define MSR_MTRR_DEFTYPE 0x2ffu /* SDM 3A 11.11.2.1 */

#define MTRRCAP_VARIABLE 0xffu /* how many pairs of base and mask */
#define MTRRCAP_FIXED    (1u << 8)
#define MTRR_ENABLED     (1u << 11) /* of MSR_MTRR_DEFTYPE */

typedef uint64_t (*msr_read_function)(uint32_t msr);
typedef void (*msr_write_function)(uint32_t msr, uint64_t value);

/* A CPU's registers in the order of mtrr_msr. */
struct mtrr_values {
    uint32_t nr;
    uint64_t values[];
};

struct mtrr_difference {
    uint32_t nr; /* registers that differ; 0: none, and the rest is 0 */
    uint32_t msr;
    uint64_t expected, found; /* the first one's */
};

/* How many registers a CPU with this IA32_MTRRCAP has, that one included, and the n-th one's number. Pure. */
uint32_t mtrr_count(uint64_t capabilities);
uint32_t mtrr_msr(uint64_t capabilities, uint32_t n);

/* Reads values->nr registers, which is mtrr_count() of this CPU. */
void mtrr_read(struct mtrr_values *values, msr_read_function read);

/* This CPU's against those. Where the number of registers differs that is all that is compared, and where ranges are
 * off, as expected, nothing but that. */
struct mtrr_difference mtrr_compare(const struct mtrr_values *expected, msr_read_function read);

/* Sets this CPU's, which has as many, to those: ranges are off meanwhile. Caches are the caller's business. */
void mtrr_write(const struct mtrr_values *values, msr_write_function write);
