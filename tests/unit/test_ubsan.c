/* The handlers of src/debug/ubsan.c against what the compiler really passes them. */
#include "support/unit.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../../src/debug/ubsan_finding.h"
#include "ubsan/provoke.h"

static char last_words[UBSAN_WORDS_MAX];
static struct ubsan_place *last_place;
static unsigned findings;
static bool last_is_fatal;
static bool leaves; /* what follows a finding must not run */
static jmp_buf fatal_return;
PER_CPU uint32_t ubsan_is_finding;
uint64_t ubsan_findings;
ubsan_observer ubsan_test_observer;

void ubsan_report(struct ubsan_place *place, const struct ubsan_caller *caller, bool is_fatal, const char *words)
{
    snprintf(last_words, sizeof(last_words), "%s", words);
    last_place = place;
    last_is_fatal = is_fatal;
    findings++;
    assert_non_null(caller->return_address);
    assert_ptr_equal(caller->frame[1], caller->return_address);
    if (is_fatal || leaves) {
        ubsan_is_finding = 0;
        longjmp(fatal_return, 1);
    }
}

/* expression is found to be wrong once, in these words, in provoke.c. */
#define FOUND(expression, expected)                             \
    do {                                                        \
        findings = 0;                                           \
        (void)(expression);                                     \
        assert_int_equal(findings, 1);                          \
        assert_string_equal(last_words, expected);              \
        assert_false(last_is_fatal);                            \
        assert_non_null(strstr(last_place->file, "provoke.c")); \
        assert_true(last_place->line > 10);                     \
    } while (0)

#define NOT_FOUND(expression)          \
    do {                               \
        findings = 0;                  \
        (void)(expression);            \
        assert_int_equal(findings, 0); \
    } while (0)

static void arithmetic(void **state)
{
    (void)state;
    FOUND(provoke_add(INT_MAX, 1), "signed integer overflow: 2147483647 + 1 does not fit 'int'");
    FOUND(provoke_add(-2, INT_MIN), "signed integer overflow: -2 + -2147483648 does not fit 'int'");
    FOUND(provoke_sub(INT_MIN, 1), "signed integer overflow: -2147483648 - 1 does not fit 'int'");
    FOUND(provoke_mul(LONG_MAX, -3), "signed integer overflow: 9223372036854775807 * -3 does not fit 'long int'");
    FOUND(provoke_negate(INT_MIN), "signed integer overflow: -(-2147483648) does not fit 'int'");
    FOUND(
        provoke_wide_add((__int128)1 << 126, (__int128)1 << 126),
        "signed integer overflow: 0x40000000000000000000000000000000 + 0x40000000000000000000000000000000 does not fit "
        "'__int128'");
    NOT_FOUND(provoke_add(INT_MAX, -1));
}

static void shifts(void **state)
{
    (void)state;
    FOUND(provoke_shift(1, 33), "bad shift: the count 33 is too large for 'int' of 32 bits");
    FOUND(provoke_shift(1, -1), "bad shift: the count -1 is negative");
    FOUND(provoke_shift(-2, 3), "bad shift: of the negative value -2 to the left");
    FOUND(provoke_shift(0x40000000, 2), "bad shift: 1073741824 << 2 does not fit 'int'");
    FOUND(provoke_unsigned_shift(5, 32), "bad shift: the count 32 is too large for 'unsigned int' of 32 bits");
    NOT_FOUND(provoke_unsigned_shift(5, 31));
}

static void bounds(void **state)
{
    (void)state;
    FOUND(provoke_bounds(12), "array index out of bounds: 12 in 'int [4]'");
    FOUND(provoke_bounds(-1), "array index out of bounds: -1 in 'int [4]'");
    FOUND(provoke_trailing_bounds(6), "array index out of bounds: 6 in 'int [4]'");
    FOUND(provoke_length(-3), "array length is not positive: -3");
    NOT_FOUND(provoke_bounds(3));
}

static void pointers(void **state)
{
    char bytes[16] __attribute__((aligned(8))) = {0};
    char words[UBSAN_WORDS_MAX];

    (void)state;
    FOUND(provoke_nonnull(NULL), "NULL pointer: argument 1 must not be NULL");
    FOUND(provoke_null_member(NULL), "NULL pointer: member access within 'struct trailing'");
    FOUND(provoke_null_return(NULL), "NULL pointer: returned by a function that never returns NULL");
    snprintf(words, sizeof(words),
             "misaligned pointer: store to 'volatile int' at 0x%lx, which needs an alignment of 4",
             (unsigned long)(bytes + 1));
    FOUND(provoke_misaligned_store(bytes + 1), words);
    FOUND(provoke_pointer_overflow((char *)-16L, 32), "pointer overflow: 0xfffffffffffffff0 became 0x10");
}

static void values(void **state)
{
    unsigned char byte = 3;

    (void)state;
    FOUND(provoke_bool(&byte), "invalid value: 3 is not valid for '_Bool'");
    FOUND(provoke_ctz(0), "zero passed to __builtin_ctz, which has no answer for it");
}

static void one_at_a_time(void **state)
{
    (void)state;
    FOUND(provoke_add(INT_MAX, 1), "signed integer overflow: 2147483647 + 1 does not fit 'int'");
    assert_int_equal(ubsan_is_finding, 0);
    ubsan_is_finding = 1;
    NOT_FOUND(provoke_add(INT_MAX, 1));
    assert_int_equal(ubsan_findings, 1);
    ubsan_is_finding = 0;
}

static void divide(int a, int b, const char *expected)
{
    leaves = true;
    if (setjmp(fatal_return) == 0) {
        provoke_divide(a, b);
        fail_msg("divided %d by %d", a, b);
    }
    leaves = false;
    assert_string_equal(last_words, expected);
}

static void divisions(void **state)
{
    (void)state;
    divide(7, 0, "division by zero: 7 / 0");
    divide(INT_MIN, -1, "division overflow: -2147483648 / -1 does not fit 'int'");
    NOT_FOUND(provoke_divide(7, -1));
}

static void unreachable_code_is_fatal(void **state)
{
    (void)state;
    findings = 0;
    if (setjmp(fatal_return) == 0) {
        provoke_unreachable(1);
        fail_msg("went on after unreachable code");
    }
    assert_int_equal(findings, 1);
    assert_true(last_is_fatal);
    assert_string_equal(last_words, "unreachable code was reached");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic), cmocka_unit_test(shifts),
        cmocka_unit_test(bounds),     cmocka_unit_test(pointers),
        cmocka_unit_test(values),     cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(divisions),  cmocka_unit_test(unreachable_code_is_fatal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
