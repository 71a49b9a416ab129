/* Resource descriptors of every kind that is read, and each way in which one can be wrong. */
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

#include <acpi/resource.h>
#include <base/align.h>

static struct acpi_resource found[8];

static unsigned walk(const void *bytes, size_t length)
{
    uint8_t *exact = malloc(length ? length : 1); /* so that a read past the end is found */
    uint32_t cursor = 0;
    unsigned count = 0;

    memcpy(exact, bytes, length);
    while (count < ARRAY_SIZE(found) && acpi_resource_next(exact, (uint32_t)length, &cursor, &found[count]))
        count++;
    free(exact);
    return count;
}

#define WALK(...)                                      \
    ({                                                 \
        static const uint8_t bytes_[] = {__VA_ARGS__}; \
        walk(bytes_, sizeof(bytes_));                  \
    })

#define END 0x79, 0

static void check(unsigned n, enum acpi_resource_kind kind, uint64_t base, uint64_t length, bool is_window)
{
    assert_int_equal(found[n].kind, kind);
    assert_int_equal(found[n].base, base);
    assert_int_equal(found[n].length, length);
    assert_int_equal(found[n].is_window, is_window);
}

static void small_ones(void **state)
{
    assert_int_equal(WALK(0x47, 1, 0xf8, 0x03, 0xf8, 0x03, 1, 8, 0x4b, 0xf8, 0xfe, 4, 0x22, 0x00, 0x08, 0x23, 0x20, 0,
                          0x18, 0x30, 0x38, END, 0x4b, 1, 1, 1),
                     4);
    check(0, ACPI_RESOURCE_IO, 0x3f8, 8, false);
    check(1, ACPI_RESOURCE_IO, 0x2f8, 4, false);
    check(2, ACPI_RESOURCE_INTERRUPT, 11, 1, false);
    assert_false(found[2].is_level || found[2].is_active_low);
    check(3, ACPI_RESOURCE_INTERRUPT, 5, 1, false);
    assert_true(found[3].is_level && found[3].is_active_low);
}

static void large_ones(void **state)
{
    assert_int_equal(WALK(0x85, 17, 0, 1, 0, 0, 0x20, 0xfe, 0, 0, 0x20, 0xfe, 0, 0, 0, 0, 0, 0x10, 0, 0, /* */
                          0x86, 9, 0, 1, 0, 0, 0xc0, 0xfe, 0, 4, 0, 0,                                   /* */
                          0x89, 6, 0, 0x0d, 1, 0x10, 0, 0, 0,                                            /* */
                          0x84, 3, 0, 1, 2, 3, END), /* a vendor's */
                     3);
    check(0, ACPI_RESOURCE_MEMORY, 0xfe200000, 0x1000, false);
    check(1, ACPI_RESOURCE_MEMORY, 0xfec00000, 0x400, false);
    check(2, ACPI_RESOURCE_INTERRUPT, 16, 1, false);
    assert_true(found[2].is_level && found[2].is_active_low);
}

static void address_spaces(void **state)
{
    assert_int_equal(WALK(0x88, 13, 0, 2, 0x0c, 0, 0, 0, 0x20, 0, 0x3f, 0, 0, 0, 0x20, 0,          /* buses 20 to 3f */
                          0x88, 13, 0, 1, 0x0c, 3, 0, 0, 0x00, 0x0d, 0xff, 0xff, 0, 0, 0x00, 0xf3, /* */
                          0x87, 23, 0, 0, 0x0c, 1, 0, 0, 0, 0, 0, 0, 0, 0xc0, 0xff, 0xff, 0xff, 0xdf, 0, 0, 0, 0, 0, 0,
                          0, 0x20,                                               /* */
                          0x8b, 53, 0, 0, 0x0d, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* extended, the device's own */
                          0, 0, 0, 0, 0x40, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x41, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                          0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, END),
                     4);
    check(0, ACPI_RESOURCE_BUS, 0x20, 0x20, true);
    check(1, ACPI_RESOURCE_IO, 0xd00, 0xf300, true);
    check(2, ACPI_RESOURCE_MEMORY, 0xc0000000, 0x20000000, true);
    check(3, ACPI_RESOURCE_MEMORY, 0x4000000000, 0x200000000, false);
}

#define QWORD(n) (uint8_t)(n), (uint8_t)((n) >> 8), 0, 0, 0, 0, 0, (uint8_t)((uint64_t)(n) >> 56)
#define SPACE(least, greatest, translation, length) \
    0x8a, 43, 0, 0, 0x0c, 0, QWORD(0), QWORD(least), QWORD(greatest), QWORD(translation), QWORD(length)

static void ranges_that_are_none(void **state)
{
    assert_int_equal(WALK(SPACE(0, 0xfff, 0, 0)), 0);          /* empty */
    assert_int_equal(WALK(SPACE(0x1000, 0xfff, 0, 1)), 0);     /* ends before it begins */
    assert_int_equal(WALK(SPACE(0, 0xfff, 0x100, 0x1000)), 0); /* translated */
    assert_int_equal(WALK(SPACE(0, 0xfff, 0, 0x2000)), 1);     /* more than there is room for */
    check(0, ACPI_RESOURCE_MEMORY, 0, 0x1000, true);
    assert_int_equal(WALK(SPACE(0xff00000000000000, 0xff00000000000fff, 0, 0x1000)), 1);
    static const uint8_t wraps[] = {0x8a,
                                    43,
                                    0,
                                    0,
                                    0,
                                    0,
                                    QWORD(0),
                                    QWORD(0xff00000000000000),
                                    QWORD(0xff000000000000ff),
                                    QWORD(0),
                                    QWORD(0x0100000000000000)};
    assert_int_equal(walk(wraps, sizeof(wraps)), 0);
    assert_int_equal(WALK(0x22, 0, 0, END), 0); /* no interrupt */
    assert_int_equal(WALK(0x89, 6, 0, 0, 0, 1, 2, 3, 4, END), 0);
    assert_int_equal(WALK(0x88, 13, 0, 3, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1, 0, END), 0); /* an unknown space */
}

static void lengths_that_lead_nowhere(void **state)
{
    static const uint8_t bytes[] = {0x47, 1, 0xf8, 0x03, 0xf8, 0x03, 1, 8, 0x86, 9, 0, 1, 0, 0, 0xc0, 0xfe, 0, 4, 0, 0};

    for (size_t length = 0; length <= sizeof(bytes); length++)
        assert_int_equal(walk(bytes, length), length < 8 ? 0 : length < sizeof(bytes) ? 1 : 2);
    assert_int_equal(WALK(0x86, 0xff, 0xff, 1), 0);
    assert_int_equal(WALK(0x86, 8, 0, 1, 0, 0, 0xc0, 0xfe, 0, 4, 0, 0x4b, 8, 0, 1), 1); /* too short for its kind */
    check(0, ACPI_RESOURCE_IO, 8, 1, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_ones),
        cmocka_unit_test(large_ones),
        cmocka_unit_test(address_spaces),
        cmocka_unit_test(ranges_that_are_none),
        cmocka_unit_test(lengths_that_lead_nowhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
