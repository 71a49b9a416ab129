#include "support/unit.h"

#include <debug/exception_names.h>

static void expect_error_code(uint64_t vector, uint64_t code, const char *words)
{
    char text[200];

    format_error_code(text, sizeof(text), vector, code);
    assert_string_equal(text, words);
}

static void test_every_vector_has_a_name(void **state)
{
    for (uint64_t vector = 0; vector < 32; vector++) {
        assert_non_null(exception_mnemonic(vector));
        assert_true(exception_name(vector)[0] != '\0');
    }
    assert_string_equal(exception_mnemonic(14), "#PF");
    assert_string_equal(exception_name(200), "interrupt");
}

/* SDM 3A table 6-1, AMD's among them. */
static void test_error_codes_exist_where_the_manual_says(void **state)
{
    for (uint64_t vector = 0; vector < 40; vector++)
        assert_int_equal(exception_has_error_code(vector), vector == 8 || (vector >= 10 && vector <= 14) ||
                                                               vector == 17 || vector == 21 || vector == 29 ||
                                                               vector == 30);
}

static void test_page_fault_bits(void **state)
{
    expect_error_code(14, 2,
                      "P=0 W=1 U=0 RSVD=0 I=0 PK=0 SS=0 SGX=0: write to a page that is not present, by the kernel");
    expect_error_code(
        14, 0x11,
        "P=1 W=0 U=0 RSVD=0 I=1 PK=0 SS=0 SGX=0: instruction fetch from a page that does not allow it, by the "
        "kernel");
    expect_error_code(14, 0x8065,
                      "P=1 W=0 U=1 RSVD=0 I=0 PK=1 SS=1 SGX=1: read of a page that does not allow it, by user code");
    expect_error_code(14, 9,
                      "P=1 W=0 U=0 RSVD=1 I=0 PK=0 SS=0 SGX=0: read of a page table entry with reserved bits set, by "
                      "the kernel");
}

static void test_selectors(void **state)
{
    expect_error_code(13, 0, "EXT=0 IDT=0 TI=0 index=0: no selector");
    expect_error_code(13, 0x43, "EXT=1 IDT=1 TI=0 index=8: IDT entry 8, for an event from outside");
    expect_error_code(11, 0x14, "EXT=0 IDT=0 TI=1 index=2: LDT entry 2");
    expect_error_code(8, 0, "always 0");
    expect_error_code(6, 0, "none");
}

static void test_flags(void **state)
{
    char text[128];

    format_rflags(text, sizeof(text), 0x246);
    assert_string_equal(text, "PF ZF IF");
    format_cr0(text, sizeof(text), 0x80010033);
    assert_string_equal(text, "PE MP ET NE WP PG");
    format_cr4(text, sizeof(text), 1u << 15 | 1u << 20);
    assert_string_equal(text, "bit15 SMEP");
    format_efer(text, sizeof(text), 0xd01);
    assert_string_equal(text, "SCE LME LMA NXE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_vector_has_a_name),
        cmocka_unit_test(test_error_codes_exist_where_the_manual_says),
        cmocka_unit_test(test_page_fault_bits),
        cmocka_unit_test(test_selectors),
        cmocka_unit_test(test_flags),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
