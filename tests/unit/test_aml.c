/* Definition blocks, written byte by byte: the walk, and \_S5 wherever it may stand. */
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

#include <base/errno.h>

#include "../../drivers/acpi/aml.h"
#include "support/plain_heap.h"

#define S5_NAME    0x08, '_', 'S', '5', '_'
#define S5_PACKAGE 0x12, 0x08, 0x04, 0x0a, 0x05, 0x0a, 0x07, 0x00, 0x00 /* Package (4) {5, 7, Zero, Zero} */

static int find(const void *bytes, size_t length, uint8_t types[2])
{
    uint8_t *exact = malloc(length ? length : 1); /* so that a read past the end is found */

    memcpy(exact, bytes, length);
    int result = aml_find_s5(exact, (uint32_t)length, &types[0], &types[1]);
    free(exact);
    assert_int_equal(plain_heap_in_use(), 0);
    return result;
}

#define FIND(types, ...)                               \
    ({                                                 \
        static const uint8_t bytes_[] = {__VA_ARGS__}; \
        find(bytes_, sizeof(bytes_), types);           \
    })

static void assert_found(int result, const uint8_t *types)
{
    assert_int_equal(result, 0);
    assert_int_equal(types[0], 5);
    assert_int_equal(types[1], 7);
}

static void finds_it_at_the_root(void **state)
{
    uint8_t types[2] = {0};

    assert_found(FIND(types, S5_NAME, S5_PACKAGE), types);
    memset(types, 0, 2);
    assert_found(FIND(types, 0x08, '\\', '_', 'S', '5', '_', S5_PACKAGE), types);
    memset(types, 0, 2);
    assert_found(FIND(types, 0x10, 0x11, '\\', 0x00, S5_NAME, S5_PACKAGE), types); /* Scope (\) */
    memset(types, 0, 2);
    /* Scope (_SB) {Name (^_S5, ...)} */
    assert_found(FIND(types, 0x10, 0x14, '_', 'S', 'B', '_', 0x08, '^', '_', 'S', '5', '_', S5_PACKAGE), types);
}

static void goes_over_what_comes_before(void **state)
{
    static const uint8_t bytes[] = {0x08,    'A',       'A',  'A',  'A',  0x0d, '_',  'S',
                                    '5',     '_',       0x12, 0x00, /* a string that says _S5_ */
                                    0x08,    'B',       'B',  'B',  'B',  0x11, 0x05, 0x0a,
                                    0x02,    0x08,      0x5f, /* a buffer */
                                    0x14,    0x0b,      'M',  'E',  'T',  'H',  0x00, 0x08,
                                    '_',     'S',       '5',  '_', /* a method, broken off inside */
                                    0x5b,    0x80,      'R',  'E',  'G',  '0',  0x01, 0x0b,
                                    0x00,    0x06,      0x72, 0x0a, 4,    0x0a, 4,    0x00, /* Add (4, 4, ) */
                                    0x5b,    0x81,      0x0b, 'R',  'E',  'G',  '0',  0x01,
                                    'F',     'L',       'D',  '0',  8, /* Field */
                                    0x5b,    0x01,      'M',  'T',  'X',  '0',  0x00, 0x06,
                                    'A',     'L',       'I',  'A',  'A',  'A',  'A',  'A',  /* Mutex, Alias */
                                    0x15,    '\\',      'E',  'X',  'T',  '0',  0x08, 0x01, /* External */
                                    0x5b,    0x82,      0x0f, 'D',  'E',  'V',  '0',  0x08,
                                    '_',     'H',       'I',  'D',  0x0c, 0x41, 0xd0, 0x0a,
                                    0x03,    0x5b,      0x83, 0x0b, 'C',  'P',  'U',  '0',
                                    0,       0,         0,    0,    0,    0, /* Processor */
                                    0x8a,    'B',       'B',  'B',  'B',  0x00, 'D',  'W',
                                    '0',     '_',                              /* CreateDWordField */
                                    0x70,    0x01,      'A',  'A',  'A',  'A', /* Store (One, AAAA) */
                                    S5_NAME, S5_PACKAGE};
    uint8_t types[2] = {0};

    assert_found(find(bytes, sizeof(bytes), types), types);
    for (size_t length = 0; length < sizeof(bytes); length++)
        assert_int_not_equal(find(bytes, length, types), 0);
}

static void is_not_taken_in(void **state)
{
    uint8_t types[2] = {9, 9};

    assert_int_equal(FIND(types, 0x10, 0x13, '_', 'S', 'B', '_', S5_NAME, S5_PACKAGE), -ENOENT); /* \_SB._S5 */
    assert_int_equal(FIND(types, 0x08, 'X', 'X', 'X', 'X', 0x11, 0x11, 0x0a, 0x0e, S5_NAME, S5_PACKAGE), -ENOENT);
    assert_int_equal(FIND(types, 0x14, 0x14, 'M', 'E', 'T', 'H', 0, S5_NAME, S5_PACKAGE), -ENOENT);
    assert_int_equal(FIND(types, 0x08, '^', '_', 'S', '5', '_', S5_PACKAGE), -ENOENT); /* above the root */
    assert_int_equal(FIND(types, S5_NAME, 0x0a, 0x05), -EBADMSG);
    assert_int_equal(FIND(types, S5_NAME, 0x12, 0x03, 0x01, 0x00), -EBADMSG);          /* one value only */
    assert_int_equal(FIND(types, S5_NAME, 0x12, 0x05, 0x02, 0x0a, 0x08, 0), -EBADMSG); /* four bits */
    assert_int_equal(FIND(types, S5_NAME, 0x12, 0x04, 0x02, 0x0a, 0x05), -EBADMSG);    /* ends inside */
    assert_int_equal(FIND(types, 0x01), -ENOENT);
    assert_int_equal(types[0], 9);
}

static void a_block_that_cannot_be_read_costs_itself(void **state)
{
    uint8_t types[2] = {0};

    /* Scope (_SB) {a byte that begins no term} */
    assert_found(FIND(types, 0x10, 0x06, '_', 'S', 'B', '_', 0xfe, S5_NAME, S5_PACKAGE), types);
    /* the same at the root costs all that follows */
    assert_int_equal(FIND(types, 0xfe, S5_NAME, S5_PACKAGE), -ENOENT);
}

static void an_unconditional_one_wins(void **state)
{
    uint8_t types[2] = {0};

    /* If (ABCD) {Name (_S5, Package (2) {One, One})}, then the real one */
    assert_found(
        FIND(types, 0xa0, 0x0f, 'A', 'B', 'C', 'D', S5_NAME, 0x12, 0x04, 0x02, 0x01, 0x01, S5_NAME, S5_PACKAGE), types);
    assert_int_equal(FIND(types, 0xa0, 0x0f, 'A', 'B', 'C', 'D', S5_NAME, 0x12, 0x04, 0x02, 0x01, 0x01), 0);
    assert_int_equal(types[0], 1);
}

static void nesting_without_end(void **state)
{
    uint8_t bytes[64 * 8], types[2];
    size_t at = 0;

    while (at + 8 <= sizeof(bytes)) { /* each Scope holds all that follows */
        uint32_t rest = (uint32_t)(sizeof(bytes) - at - 1);
        const uint8_t scope[] = {0x10, (uint8_t)(0x40 | (rest & 15)), (uint8_t)(rest >> 4), 'D', 'E', 'E', 'P', 0xa3};

        memcpy(bytes + at, scope, sizeof(scope));
        at += sizeof(scope);
    }
    assert_int_equal(find(bytes, sizeof(bytes), types), -ENOENT);
}

static void reads_constants(void **state)
{
    static const uint8_t qword[] = {0x0e, 1, 2, 3, 4, 5, 6, 7, 8};
    uint64_t value = 0;

    assert_int_equal(aml_read_integer(qword, 9, &value), 9);
    assert_int_equal(value, 0x0807060504030201);
    assert_int_equal(aml_read_integer(qword, 8, &value), -EBADMSG);
    assert_int_equal(aml_read_integer(qword, 0, &value), -EBADMSG);
    assert_int_equal(aml_read_integer((const uint8_t[]){0xff}, 1, &value), 1);
    assert_true(value == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_it_at_the_root),      cmocka_unit_test(goes_over_what_comes_before),
        cmocka_unit_test(is_not_taken_in),           cmocka_unit_test(a_block_that_cannot_be_read_costs_itself),
        cmocka_unit_test(an_unconditional_one_wins), cmocka_unit_test(nesting_without_end),
        cmocka_unit_test(reads_constants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
