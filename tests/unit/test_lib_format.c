/* lib/format.h against the host's C library: every flag, width, precision and length at random. */
#include "support/unit.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define snprintf  keel_snprintf
#define vsnprintf keel_vsnprintf
#include <lib/format.h>
#undef snprintf
#undef vsnprintf

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-overflow"

#define CHECK(size, ...)                                                                                          \
    do {                                                                                                          \
        char ours_[300], theirs_[300];                                                                            \
        memset(ours_, '#', sizeof(ours_));                                                                        \
        memset(theirs_, '#', sizeof(theirs_));                                                                    \
        int n_ = keel_snprintf(ours_, size, __VA_ARGS__), m_ = snprintf(theirs_, size, __VA_ARGS__);              \
        if (n_ != m_ || memcmp(ours_, theirs_, sizeof(ours_)))                                                    \
            fail_msg("%s: ours \"%.200s\" %d, libc's \"%.200s\" %d", FIRST(__VA_ARGS__), ours_, n_, theirs_, m_); \
    } while (0)
#define FIRST(a, ...) a

/* A random specification up to the length modifier. */
static void random_spec(char *at, const char *flags)
{
    *at++ = '%';
    for (int i = rand() % 3; *flags && i > 0; i--)
        *at++ = flags[(size_t)rand() % strlen(flags)];
    if (rand() % 2)
        at += sprintf(at, "%d", rand() % 30 + 1);
    if (rand() % 2)
        at += rand() % 4 ? sprintf(at, ".%d", rand() % 26) : sprintf(at, ".");
    *at = '\0';
}

static uint64_t random_value(void)
{
    static const uint64_t edges[] = {0,        1,         9,          10,        INT_MAX, (uint64_t)INT_MIN,
                                     UINT_MAX, INT64_MAX, 1ull << 63, UINT64_MAX};
    uint64_t bits = ((uint64_t)rand() << 42) ^ ((uint64_t)rand() << 21) ^ (uint64_t)rand();

    return rand() % 3 ? bits >> rand() % 64 : edges[rand() % 10];
}

static void integers(void **state)
{
    static const char *const lengths[] = {"hh", "h", "", "l", "ll", "z", "t", "j"};

    for (unsigned i = 0; i < 200000; i++) {
        char format[64], *end;
        unsigned modifier = (unsigned)rand() % 8;
        char conversion = "diuxXo"[rand() % 6];
        uint64_t value = random_value();
        size_t size = rand() % 3 ? 300 : (size_t)rand() % 40;

        random_spec(format, conversion == 'd' || conversion == 'i' ? "-0 +" : conversion == 'u' ? "-0" : "-0#");
        end = format + strlen(format);
        sprintf(end, "%s%c|", lengths[modifier], conversion);
        if (modifier < 3)
            CHECK(size, format, (int)value);
        else
            CHECK(size, format, value);
    }
}

static void strings_and_characters(void **state)
{
    for (unsigned i = 0; i < 50000; i++) {
        char format[64], text[64];
        size_t length = (size_t)rand() % 60, size = rand() % 3 ? 300 : (size_t)rand() % 40;
        int width = rand() % 20 - 10, precision = rand() % 20 - 10, byte = rand() % 255 + 1;

        memset(text, 'a' + rand() % 26, length);
        text[length] = '\0';
        random_spec(format, "-");
        strcat(format, "s!");
        CHECK(size, format, text);
        CHECK(size, "[%*s] %% [%.*s]", width, text, precision, text);
        CHECK(size, "%c%5c%-5c|", byte, 'b', 'c');
    }
}

static void mixed(void **state)
{
    for (unsigned i = 0; i < 20000; i++) {
        size_t size = (size_t)rand() % 200;
        uint64_t value = random_value();
        int number = (int)random_value(), percent = rand() % 10;

        CHECK(size, "cpu %d: %s at 0x%lx, %u of %zu (%5.1d%%) %-8s|%08x", number, "name", value, (unsigned)number,
              (size_t)value, percent, "left", (unsigned)value);
    }
}

/* What C leaves open, or what no C library call can show. */
static void ours_alone(void **state)
{
    char text[64];
    const char *null = NULL, *odd = "%y %5", *end = "100%";

    assert_int_equal(keel_snprintf(text, sizeof(text), "%s", null), 6);
    assert_string_equal(text, "(null)");
    keel_snprintf(text, sizeof(text), "%p %20p", (void *)0xffff800000001000, (void *)0x1f);
    assert_string_equal(text, "0xffff800000001000                 0x1f");
    keel_snprintf(text, sizeof(text), odd);
    assert_string_equal(text, "%y %5");
    keel_snprintf(text, sizeof(text), end);
    assert_string_equal(text, "100%");
    assert_int_equal(keel_snprintf(NULL, 0, "%d", 12345), 5);
    assert_true(keel_snprintf(text, sizeof(text), "%2147483647d%d", 1, 1) < 0); /* longer than an int can say */
    assert_int_equal(text[63], '\0');
    assert_true(keel_snprintf(text, sizeof(text), "%99999999999999999999d", 1) < 0);
    keel_snprintf(text, sizeof(text), "%.*s|%*d", -1, "all", INT_MIN + 1, 7);
    assert_memory_equal(text, "all|7   ", 8);
}

/* A precision is a promise that no byte behind it is read: the address sanitizer watches. */
static void precision_bounds_the_read(void **state)
{
    char *text = malloc(5), line[16];

    memset(text, 'x', 5);
    assert_int_equal(keel_snprintf(line, sizeof(line), "%.5s", text), 5);
    assert_string_equal(line, "xxxxx");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers),   cmocka_unit_test(strings_and_characters),    cmocka_unit_test(mixed),
        cmocka_unit_test(ours_alone), cmocka_unit_test(precision_bounds_the_read),
    };

    srand(1);
    return cmocka_run_group_tests_name("lib/format", tests, NULL, NULL);
}
