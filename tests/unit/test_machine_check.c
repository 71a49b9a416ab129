#include "support/unit.h"

#include "../../src/trap/machine_check_decode.h"

static void expect_code(uint64_t status, const char *words)
{
    char text[96];

    machine_check_format_code(text, sizeof(text), status);
    assert_string_equal(text, words);
}

static void test_flags(void **state)
{
    char text[64];

    machine_check_format_flags(text, sizeof(text), 0xbe00000000000134);
    assert_string_equal(text, "VAL UC EN MISCV ADDRV PCC");
    machine_check_format_flags(text, sizeof(text), ~(uint64_t)0);
    assert_string_equal(text, "VAL OVER UC EN MISCV ADDRV PCC");
    machine_check_format_flags(text, sizeof(text), 0);
    assert_string_equal(text, "");
}

static void test_codes(void **state)
{
    expect_code(0, "no error");
    expect_code(1, "unclassified");
    expect_code(0x0400, "internal");
    expect_code(0x000e, "generic cache hierarchy: level 2");
    expect_code(0x0015, "TLB: data, level 1");
    expect_code(0x0092, "memory controller: read, channel 2");
    expect_code(0xbe00000000000134, "cache hierarchy: data read, data cache, level 0");
    expect_code(0x1134, "cache hierarchy: data read, data cache, level 0"); /* filtering bit */
    expect_code(0x0e0b, "bus and interconnect: generic error, generic level");
    expect_code(0x01f0, "cache hierarchy: unknown request, instruction cache, level 0");
}

static void test_control_of_banks(void **state)
{
    assert_false(machine_check_may_control("GenuineIntel", 6, 0x0f, 0)); /* Core 2 */
    assert_false(machine_check_may_control("GenuineIntel", 6, 0x17, 0));
    assert_true(machine_check_may_control("GenuineIntel", 6, 0x0f, 1));
    assert_true(machine_check_may_control("GenuineIntel", 6, 0x1a, 0)); /* Nehalem */
    assert_true(machine_check_may_control("GenuineIntel", 15, 0x06, 0));
    assert_true(machine_check_may_control("AuthenticAMD", 6, 0x06, 0));
    assert_true(machine_check_may_control("AuthenticAMD", 0x17, 0x01, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_flags), cmocka_unit_test(test_codes),
                                       cmocka_unit_test(test_control_of_banks)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
