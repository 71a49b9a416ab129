#include "mtrr.h"

#include <base/compiler.h>

#define MSR_PHYSBASE0 0x200u /* SDM 3A 11.11.2.3: pairs of base and mask */

/* SDM 3A table 11-9: 64, 16 and 4 KiB. */
static const uint32_t fixed[] = {0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f};

static const uint32_t control[] = {MSR_MTRRCAP, MSR_MTRR_DEFTYPE};

static uint32_t nr_fixed(uint64_t capabilities)
{
    return capabilities & MTRRCAP_FIXED ? ARRAY_SIZE(fixed) : 0;
}

uint32_t mtrr_count(uint64_t capabilities)
{
    return ARRAY_SIZE(control) + nr_fixed(capabilities) + 2 * (uint32_t)(capabilities & MTRRCAP_VARIABLE);
}

uint32_t mtrr_msr(uint64_t capabilities, uint32_t n)
{
    if (n < ARRAY_SIZE(control))
        return control[n];
    n -= ARRAY_SIZE(control);
    if (n < nr_fixed(capabilities))
        return fixed[n];
    return MSR_PHYSBASE0 + n - nr_fixed(capabilities);
}

void mtrr_read(struct mtrr_values *values, msr_read_function read)
{
    uint64_t capabilities = read(MSR_MTRRCAP);

    for (uint32_t n = 0; n < values->nr; n++)
        values->values[n] = read(mtrr_msr(capabilities, n));
}

static void compare_one(struct mtrr_difference *difference, uint32_t msr, uint64_t expected, uint64_t found)
{
    if (found == expected)
        return;
    if (difference->nr++ == 0) {
        difference->msr = msr;
        difference->expected = expected;
        difference->found = found;
    }
}

struct mtrr_difference mtrr_compare(const struct mtrr_values *expected, msr_read_function read)
{
    uint64_t capabilities = expected->values[0];
    struct mtrr_difference difference = {0};

    for (uint32_t n = 0; n < expected->nr; n++) {
        uint32_t msr = mtrr_msr(capabilities, n);

        compare_one(&difference, msr, expected->values[n], read(msr));
        if (msr == MSR_MTRRCAP && difference.nr > 0)
            break; /* others may not exist */
        if (msr == MSR_MTRR_DEFTYPE && difference.nr == 0 && !(expected->values[n] & MTRR_ENABLED))
            break;
    }
    return difference;
}

void mtrr_write(const struct mtrr_values *values, msr_write_function write)
{
    uint64_t capabilities = values->values[0], type = values->values[1];

    write(MSR_MTRR_DEFTYPE, type & ~(uint64_t)MTRR_ENABLED);
    for (uint32_t n = ARRAY_SIZE(control); n < values->nr; n++)
        write(mtrr_msr(capabilities, n), values->values[n]);
    write(MSR_MTRR_DEFTYPE, type);
}
