/* Memory type ranges of one CPU against another's. */
#include "support/unit.h"

#include <string.h>

#include "../../src/smp/mtrr.h"

#define PAIRS        8u
#define CAPABILITIES (MTRRCAP_FIXED | PAIRS)
#define NR           (2 + 11 + 2 * PAIRS)

static uint64_t msrs[0x300];
static unsigned nr_reads;

static uint64_t read_msr(uint32_t msr)
{
    assert_true(msr < sizeof(msrs) / sizeof(msrs[0]));
    nr_reads++;
    return msrs[msr];
}

static union {
    struct mtrr_values values;
    uint64_t room[1 + NR];
} boot;

static int setup(void **state)
{
    for (unsigned msr = 0; msr < 0x300; msr++)
        msrs[msr] = 0x1000 + msr;
    msrs[MSR_MTRRCAP] = CAPABILITIES;
    msrs[MSR_MTRR_DEFTYPE] = MTRR_ENABLED | 6;
    boot.values.nr = mtrr_count(CAPABILITIES);
    mtrr_read(&boot.values, read_msr);
    nr_reads = 0;
    return 0;
}

static void test_registers(void **state)
{
    assert_int_equal(mtrr_count(CAPABILITIES), NR);
    assert_int_equal(mtrr_count(3), 2 + 2 * 3);
    assert_int_equal(mtrr_count(0), 2);
    assert_int_equal(mtrr_msr(CAPABILITIES, 0), MSR_MTRRCAP);
    assert_int_equal(mtrr_msr(CAPABILITIES, 1), MSR_MTRR_DEFTYPE);
    assert_int_equal(mtrr_msr(CAPABILITIES, 2), 0x250);
    assert_int_equal(mtrr_msr(CAPABILITIES, 12), 0x26f);
    assert_int_equal(mtrr_msr(CAPABILITIES, 13), 0x200);
    assert_int_equal(mtrr_msr(CAPABILITIES, NR - 1), 0x200 + 2 * PAIRS - 1);
    assert_int_equal(mtrr_msr(3, 2), 0x200); /* no fixed ones */
}

static void test_same(void **state)
{
    struct mtrr_difference difference = mtrr_compare(&boot.values, read_msr);

    assert_int_equal(difference.nr, 0);
    assert_int_equal(nr_reads, NR);
}

static void test_each_register_is_compared(void **state)
{
    for (unsigned n = 1; n < NR; n++) {
        uint32_t msr = mtrr_msr(CAPABILITIES, n);
        struct mtrr_difference difference;

        msrs[msr] ^= 1ull << 40;
        difference = mtrr_compare(&boot.values, read_msr);
        assert_int_equal(difference.nr, 1);
        assert_int_equal(difference.msr, msr);
        assert_int_equal(difference.found, msrs[msr]);
        assert_int_equal(difference.expected, msrs[msr] ^ 1ull << 40);
        msrs[msr] ^= 1ull << 40;
    }
}

static void test_the_first_is_told_and_all_are_counted(void **state)
{
    struct mtrr_difference difference;

    msrs[0x203]++;
    msrs[0x259]++;
    msrs[0x20f]++;
    difference = mtrr_compare(&boot.values, read_msr);
    assert_int_equal(difference.nr, 3);
    assert_int_equal(difference.msr, 0x259);
}

static void test_other_capabilities(void **state)
{
    struct mtrr_difference difference;

    msrs[MSR_MTRRCAP] = MTRRCAP_FIXED | 2;
    difference = mtrr_compare(&boot.values, read_msr);
    assert_int_equal(difference.nr, 1);
    assert_int_equal(difference.msr, MSR_MTRRCAP);
    assert_int_equal(nr_reads, 1); /* pairs 2 to 7 do not exist there */
}

static void test_off(void **state)
{
    msrs[MSR_MTRR_DEFTYPE] = 0;
    mtrr_read(&boot.values, read_msr);
    msrs[0x200]++;
    assert_int_equal(mtrr_compare(&boot.values, read_msr).nr, 0);
    msrs[MSR_MTRR_DEFTYPE] = MTRR_ENABLED;
    assert_int_equal(mtrr_compare(&boot.values, read_msr).nr, 2);
}

static void write_msr(uint32_t msr, uint64_t value)
{
    assert_true(msr < sizeof(msrs) / sizeof(msrs[0]) && msr != MSR_MTRRCAP);
    if (msr != MSR_MTRR_DEFTYPE)
        assert_false(msrs[MSR_MTRR_DEFTYPE] & MTRR_ENABLED);
    msrs[msr] = value;
}

static void test_set_as_the_others_with_ranges_off_meanwhile(void **state)
{
    for (unsigned n = 1; n < NR; n++)
        msrs[mtrr_msr(CAPABILITIES, n)] = 0;
    msrs[0x2fe] = 77;
    msrs[MSR_MTRR_DEFTYPE] = MTRR_ENABLED;
    mtrr_write(&boot.values, write_msr);
    assert_int_equal(mtrr_compare(&boot.values, read_msr).nr, 0);
    assert_int_equal(msrs[0x2fe], 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_registers, setup),
        cmocka_unit_test_setup(test_same, setup),
        cmocka_unit_test_setup(test_each_register_is_compared, setup),
        cmocka_unit_test_setup(test_the_first_is_told_and_all_are_counted, setup),
        cmocka_unit_test_setup(test_other_capabilities, setup),
        cmocka_unit_test_setup(test_off, setup),
        cmocka_unit_test_setup(test_set_as_the_others_with_ranges_off_meanwhile, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
