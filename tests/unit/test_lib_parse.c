/* lib/parse.h: numbers with every base and suffix, words with quotes, limits and errors. */
#include "support/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lib/parse.h>

#define UNTOUCHED 0x5a5a5a5a5a5a5a5aull

static void number(const char *text, int expected, uint64_t wanted)
{
    uint64_t value = UNTOUCHED;
    int error = parse_u64(text, &value);

    if (error != expected || value != (expected ? UNTOUCHED : wanted))
        fail_msg("\"%s\" gave %d and 0x%llx", text, error, (unsigned long long)value);
}

static void numbers(void **state)
{
    number("0", 0, 0);
    number("1", 0, 1);
    number("0x1f", 0, 31);
    number("0XAbC", 0, 0xabc);
    number("0b101", 0, 5);
    number("017", 0, 15);
    number("00", 0, 0);
    number("4K", 0, 4096);
    number("0x10k", 0, 16384);
    number("3m", 0, 3 << 20);
    number("2G", 0, 2ull << 30);
    number("18446744073709551615", 0, UINT64_MAX);
    number("0xffffffffffffffff", 0, UINT64_MAX);
    number("01777777777777777777777", 0, UINT64_MAX);
    number("17179869183G", 0, 17179869183ull << 30);
}

static void not_numbers(void **state)
{
    static const char *const bad[] = {"",   " 1", "1 ", "-1",  "+1", "x",   "0x",   "0xg", "0b2", "0b",
                                      "08", "1a", "K",  "1KK", "1T", "0K1", "0x1h", "1.5", "1e3", "\xff"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        number(bad[i], -EINVAL, 0);
    number("18446744073709551616", -ERANGE, 0);
    number("0x10000000000000000", -ERANGE, 0);
    number("17179869184G", -ERANGE, 0);
    number("99999999999999999999999999999999999999", -ERANGE, 0);
    number("99999999999999999999999999999999999999x", -EINVAL, 0);
}

static void numbers_read_back(void **state)
{
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t value = (((uint64_t)rand() << 42) ^ ((uint64_t)rand() << 21) ^ (uint64_t)rand()) >> rand() % 64;
        char text[40];

        sprintf(text, i % 3 == 0 ? "%llu" : i % 3 == 1 ? "0x%llx" : "0%llo", (unsigned long long)value);
        number(text, 0, value);
    }
}

/* The words of line are joined by | for the comparison. */
static void words(const char *line, int limit, int expected, const char *joined)
{
    char copy[100], result[200] = "", *list[12];
    int count;

    strcpy(copy, line);
    memset(list, 0x5a, sizeof(list));
    count = split_words(copy, list, limit);
    if (count != expected)
        fail_msg("\"%s\" has %d words", line, count);
    if (count < 0)
        return;
    assert_null(list[count]);
    for (int i = 0; i < count; i++) {
        strcat(result, i > 0 ? "|" : "");
        strcat(result, list[i]);
    }
    assert_string_equal(result, joined);
}

static void splitting(void **state)
{
    words("", 3, 0, "");
    words("  \t ", 3, 0, "");
    words("a", 1, 1, "a");
    words(" one  two\tthree ", 3, 3, "one|two|three");
    words("a 'b c' \"d  e\"", 3, 3, "a|b c|d  e");
    words("x'y z'w \"it's\"", 3, 2, "xy zw|it's");
    words("'' \"\" z", 3, 3, "||z");
    words("a ''", 3, 2, "a|");
    words("a b c", 2, -E2BIG, "");
    words("a b ", 2, 2, "a|b");
    words("a", 0, -E2BIG, "");
    words("a 'b", 3, -EINVAL, "");
    words("\"", 3, -EINVAL, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(not_numbers),
        cmocka_unit_test(numbers_read_back),
        cmocka_unit_test(splitting),
    };

    srand(1);
    return cmocka_run_group_tests_name("lib/parse", tests, NULL, NULL);
}
