/* The symbol table's decoder, over a table that the generator made from tests/unit/symbols/sample.c. That it agrees
 * with addr2line over the whole kernel is tested in tests/symbols. */
#include "support/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/errno.h>
#include <debug/symbol_table.h>

static uint8_t *bytes;
static size_t size;

static int read_sample(void **state)
{
    FILE *file = fopen(SAMPLE_TABLE, "rb");

    (void)state;
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size = (size_t)ftell(file);
    rewind(file);
    bytes = malloc(size); /* exactly: one byte past the end is an error the address sanitizer sees */
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, size, file), size);
    fclose(file);
    return 0;
}

static int free_sample(void **state)
{
    (void)state;
    free(bytes);
    return 0;
}

static struct symbol_table open_sample(void)
{
    struct symbol_table table;

    assert_int_equal(symbol_table_open(&table, bytes, size), 0);
    return table;
}

static uint64_t address_of(const struct symbol_table *table, const char *name)
{
    uint64_t address = 0;

    assert_int_equal(symbol_table_find(table, name, &address), 0);
    return address;
}

static void names_lead_to_addresses_and_back(void **state)
{
    struct symbol_table table = open_sample();
    char name[SYMBOL_NAME_MAX];
    unsigned n = 0;

    (void)state;
    for (; symbol_table_name(&table, n, name) == 0; n++) {
        struct symbol_location location;

        assert_int_equal(symbol_table_lookup(&table, address_of(&table, name), &location), 0);
        assert_string_equal(location.function, name);
        assert_int_equal(location.offset, 0);
    }
    assert_int_equal(n, table.nr_items);
    assert_int_equal(symbol_table_name(&table, n, name), -ENOENT);
}

static void a_function_has_its_file_and_lines(void **state)
{
    struct symbol_table table = open_sample();
    struct symbol_location location;
    uint64_t start = address_of(&table, "sample_leaf");

    (void)state;
    assert_int_equal(symbol_table_lookup(&table, start, &location), 0);
    assert_string_equal(location.file, "tests/unit/symbols/sample.c");
    assert_in_range(location.line, 11, 13);
    assert_true(location.is_function);
    assert_int_equal(symbol_table_lookup(&table, start + location.size - 1, &location), 0);
    assert_string_equal(location.function, "sample_leaf");
    assert_in_range(location.line, 13, 14);
}

static void a_far_line_in_another_file_is_kept(void **state)
{
    struct symbol_table table = open_sample();
    struct symbol_location location;

    (void)state;
    assert_int_equal(symbol_table_lookup(&table, address_of(&table, "sample_far_away"), &location), 0);
    assert_string_equal(strrchr(location.file, '/'), "/far_away.c");
    assert_in_range(location.line, 70000, 70006);
}

static void inlined_code_is_in_the_outer_function(void **state)
{
    struct symbol_table table = open_sample();
    struct symbol_location location;
    uint64_t start = address_of(&table, "sample_loop");
    bool is_seen = false;

    (void)state;
    assert_int_equal(symbol_table_lookup(&table, start, &location), 0);
    for (uint64_t at = start, end = start + location.size; at < end; at++) {
        assert_int_equal(symbol_table_lookup(&table, at, &location), 0);
        assert_string_equal(location.function, "sample_loop");
        is_seen |= location.line == 18;
    }
    assert_true(is_seen);
}

static void an_object_has_no_line(void **state)
{
    struct symbol_table table = open_sample();
    struct symbol_location location;

    (void)state;
    assert_int_equal(symbol_table_lookup(&table, address_of(&table, "sample_object") + 5, &location), 0);
    assert_string_equal(location.function, "sample_object");
    assert_int_equal(location.offset, 5);
    assert_int_equal(location.size, 16);
    assert_int_equal(location.line, 0);
    assert_string_equal(location.file, "");
    assert_false(location.is_function);
}

static void addresses_outside_are_not_found(void **state)
{
    struct symbol_table table = open_sample();
    struct symbol_location location = {.line = 77};
    uint64_t object = address_of(&table, "sample_object");

    (void)state;
    assert_int_equal(symbol_table_lookup(&table, 0, &location), -ENOENT);
    assert_int_equal(symbol_table_lookup(&table, UINT64_MAX, &location), -ENOENT);
    assert_int_equal(symbol_table_lookup(&table, object + 4096, &location), -ENOENT);
    assert_int_equal(symbol_table_find(&table, "sample_", &object), -ENOENT);
    assert_int_equal(location.line, 77);
}

/* Every lookup over a damaged table ends, and stays inside the table: the sanitizers watch. */
static void exercise(const uint8_t *damaged, size_t damaged_size, uint64_t start)
{
    struct symbol_table table;
    struct symbol_location location;
    char name[SYMBOL_NAME_MAX];
    uint64_t address;

    if (symbol_table_open(&table, damaged, damaged_size) != 0)
        return;
    for (uint64_t at = start; at < start + 0x200; at += 7)
        if (symbol_table_lookup(&table, at, &location) == 0) {
            assert_true(strlen(location.function) < SYMBOL_NAME_MAX);
            assert_true(strlen(location.file) < SYMBOL_FILE_MAX);
        }
    if (symbol_table_find(&table, "no such name", &address) == 0)
        fail_msg("found a name that is not there");
    for (unsigned n = 0; n < 20; n++)
        if (symbol_table_name(&table, n, name) == 0)
            assert_true(strlen(name) < SYMBOL_NAME_MAX);
}

static void every_flipped_bit_is_survived(void **state)
{
    struct symbol_table table = open_sample();
    uint64_t start = address_of(&table, "sample_leaf") & ~(uint64_t)0xff;

    (void)state;
    for (size_t bit = 0; bit < size * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        exercise(bytes, size, start);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    for (size_t length = 0; length < size; length++) {
        struct symbol_table table;
        uint8_t *cut = malloc(length + 1);

        assert_non_null(cut);
        memcpy(cut, bytes, length);
        assert_int_equal(symbol_table_open(&table, cut, length), -EBADMSG);
        free(cut);
    }
}

/* Random bytes behind a sound header: what a flipped bit cannot reach. */
static void random_contents_are_survived(void **state)
{
    struct symbol_table table = open_sample();
    uint64_t start = address_of(&table, "sample_leaf") & ~(uint64_t)0xff;
    uint8_t *damaged = malloc(size);
    size_t kept = table.index + (size_t)table.nr_blocks * 12;

    (void)state;
    assert_non_null(damaged);
    srand(1);
    for (unsigned round = 0; round < 2000; round++) {
        memcpy(damaged, bytes, size);
        for (size_t i = round % 2 ? kept : table.codes; i < size; i++)
            if (i < table.index || i >= kept)
                damaged[i] = (uint8_t)rand();
        exercise(damaged, size, start);
    }
    free(damaged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_lead_to_addresses_and_back),
        cmocka_unit_test(a_function_has_its_file_and_lines),
        cmocka_unit_test(a_far_line_in_another_file_is_kept),
        cmocka_unit_test(inlined_code_is_in_the_outer_function),
        cmocka_unit_test(an_object_has_no_line),
        cmocka_unit_test(addresses_outside_are_not_found),
        cmocka_unit_test(every_flipped_bit_is_survived),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(random_contents_are_survived),
    };

    return cmocka_run_group_tests(tests, read_sample, free_sample);
}
