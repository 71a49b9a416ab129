/* From the root pointer to checked copies, through tables that lie in every way they can. */
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

#include <base/errno.h>

#include "../../drivers/acpi/table.h"
#include "support/acpi_builder.h"
#include "support/plain_heap.h"

static struct acpi_builder builder;
static struct acpi_table_set set;

static int setup(void **state)
{
    acpi_builder_init(&builder);
    return 0;
}

static int teardown(void **state)
{
    acpi_tables_free(&set);
    assert_int_equal(plain_heap_in_use(), 0);
    return 0;
}

static int load(uint64_t xsdt, uint64_t rsdt)
{
    const struct acpi_roots roots = {.xsdt = xsdt, .rsdt = rsdt};

    return acpi_tables_load(&set, &builder.memory, &roots);
}

static unsigned count(void)
{
    unsigned n = 0;

    for (const struct acpi_table *table = set.first; table; table = table->next)
        n++;
    return n;
}

static void follows_both_lists(void **state)
{
    uint64_t tables[] = {acpi_builder_table(&builder, "AAAA", "1", 1), acpi_builder_table(&builder, "BBBB", "22", 2),
                         acpi_builder_table(&builder, "AAAA", "333", 3)};
    uint64_t xsdt = acpi_builder_xsdt(&builder, tables, 3), rsdt = acpi_builder_rsdt(&builder, tables, 2);

    assert_int_equal(load(xsdt, 0), 0);
    assert_int_equal(count(), 3);
    assert_memory_equal(acpi_tables_find(&set, "AAAA", 0) + 1, "1", 1);
    assert_memory_equal(acpi_tables_find(&set, "AAAA", 1) + 1, "333", 3);
    assert_null(acpi_tables_find(&set, "AAAA", 2));
    assert_int_equal(set.first->physical.value, tables[0]);
    acpi_tables_free(&set);
    assert_int_equal(load(0, rsdt), 0);
    assert_int_equal(count(), 2);
}

static void a_bad_xsdt_leaves_the_rsdt(void **state)
{
    uint64_t table = acpi_builder_table(&builder, "AAAA", NULL, 0);
    uint64_t xsdt = acpi_builder_xsdt(&builder, &table, 1), rsdt = acpi_builder_rsdt(&builder, &table, 1);

    ((uint8_t *)acpi_builder_at(&builder, xsdt))[sizeof(struct acpi_header)] ^= 1;
    assert_int_equal(load(xsdt, rsdt), 0);
    assert_int_equal(count(), 1);
    acpi_tables_free(&set);
    assert_int_equal(load(rsdt, rsdt), 0); /* a list of the other kind is not taken for an XSDT */
    assert_int_equal(count(), 1);
    acpi_tables_free(&set);
    assert_int_equal(load(xsdt, 0), -ENOENT);
    assert_int_equal(load(0, 0), -ENOENT);
}

static void leaves_bad_tables_out(void **state)
{
    static const uint32_t bad_lengths[] = {0, 1, sizeof(struct acpi_header) - 1, 0x7fffffff, UINT32_MAX};
    uint64_t good = acpi_builder_table(&builder, "GOOD", "x", 1);
    uint64_t tables[16] = {
        good, good, 0, 0x1000, UINT64_MAX, UINT64_MAX - 35, ACPI_BUILDER_BASE + ACPI_BUILDER_SIZE - 35};
    unsigned n = 7;

    for (unsigned i = 0; i < ARRAY_SIZE(bad_lengths); i++) {
        tables[n] = acpi_builder_table(&builder, "BAD!", "y", 1);
        ((struct acpi_header *)acpi_builder_at(&builder, tables[n++]))->length = bad_lengths[i];
    }
    tables[n] = acpi_builder_table(&builder, "BAD!", "z", 1);
    ((struct acpi_header *)acpi_builder_at(&builder, tables[n++]))->checksum++;
    assert_int_equal(load(acpi_builder_xsdt(&builder, tables, n), 0), 0);
    assert_int_equal(count(), 1);
    assert_non_null(acpi_tables_find(&set, "GOOD", 0));
}

static void finds_the_dsdt(void **state)
{
    struct acpi_fadt fadt = {.dsdt = (uint32_t)acpi_builder_table(&builder, ACPI_DSDT, "aml", 3)};
    uint64_t table = acpi_builder_table(&builder, ACPI_FADT, &fadt.header + 1, ACPI_FADT_V1_SIZE - sizeof(fadt.header));

    assert_int_equal(load(acpi_builder_xsdt(&builder, &table, 1), 0), 0);
    assert_memory_equal(acpi_tables_find(&set, ACPI_DSDT, 0) + 1, "aml", 3);
}

static void a_long_list_is_cut(void **state)
{
    static uint64_t tables[ACPI_TABLES_MAX + 2];
    uint64_t address = acpi_builder_table(&builder, "AAAA", NULL, 0);

    for (unsigned i = 0; i < ARRAY_SIZE(tables); i++)
        tables[i] = i < ACPI_TABLES_MAX ? address : acpi_builder_table(&builder, "LAST", NULL, 0);
    assert_int_equal(load(acpi_builder_xsdt(&builder, tables, ARRAY_SIZE(tables)), 0), 0);
    assert_int_equal(count(), 1);
}

static bool changing_read(const struct physical_memory *memory, paddr_t address, void *to, size_t size)
{
    bool is_read = builder.memory.read(&builder.memory, address, to, size);

    (void)memory;
    if (is_read && size > sizeof(struct acpi_header))
        ((struct acpi_header *)to)->length += 4096; /* since its length was read */
    return is_read;
}

static void a_table_that_changes_is_left_out(void **state)
{
    uint64_t address = acpi_builder_table(&builder, "AAAA", "x", 1);
    const struct physical_memory memory = {changing_read};
    const struct acpi_roots roots = {.xsdt = acpi_builder_xsdt(&builder, &address, 1)};

    assert_int_equal(acpi_tables_load(&set, &memory, &roots), -ENOENT);
}

static void out_of_memory_leaks_nothing(void **state)
{
    uint64_t tables[] = {acpi_builder_table(&builder, "AAAA", "1", 1), acpi_builder_table(&builder, "BBBB", "22", 2)};
    uint64_t xsdt = acpi_builder_xsdt(&builder, tables, 2);

    for (long n = 0; n < 3; n++) {
        plain_heap_fail_after(n);
        assert_int_equal(load(xsdt, 0), n == 0 ? -ENOENT : 0);
        assert_int_equal(count(), n == 0 ? 0 : 1);
        acpi_tables_free(&set);
        assert_int_equal(plain_heap_in_use(), 0);
    }
    plain_heap_fail_after(-1);
}

static void decodes_root_pointers(void **state)
{
    struct acpi_roots roots;
    uint8_t *old = acpi_builder_at(&builder, acpi_builder_rsdp(&builder, 0x1234, 0));
    uint8_t *new = acpi_builder_at(&builder, acpi_builder_rsdp(&builder, 0x1234, 0x123456789a));

    assert_int_equal(acpi_rsdp_decode(old, 20, &roots), 0);
    assert_int_equal(roots.rsdt, 0x1234);
    assert_int_equal(roots.xsdt, 0);
    assert_int_equal(acpi_rsdp_decode(new, 36, &roots), 0);
    assert_int_equal(roots.xsdt, 0x123456789a);
    assert_int_equal(acpi_rsdp_decode(new, 35, &roots), 0); /* what can be read of it is ACPI 1.0's */
    assert_int_equal(roots.xsdt, 0);
    assert_int_equal(acpi_rsdp_decode(old, 19, &roots), -EBADMSG);
    new[33]++; /* outside the first checksum */
    assert_int_equal(acpi_rsdp_decode(new, 36, &roots), 0);
    assert_int_equal(roots.xsdt, 0);
    new[9]++;
    assert_int_equal(acpi_rsdp_decode(new, 36, &roots), -EBADMSG);
    old[0]++;
    assert_int_equal(acpi_rsdp_decode(old, 20, &roots), -ENOENT);
}

static void searches_the_rom(void **state)
{
    struct acpi_roots roots;

    assert_int_equal(acpi_rsdp_search(&builder.memory, &roots), -ENOENT);
    memcpy(acpi_builder_at(&builder, builder.at), "RSD PTR but no pointer, you see", 31);
    builder.at += 4096 - 8;
    acpi_builder_rsdp(&builder, 0x111, 0); /* not on a boundary of 16 */
    assert_int_equal(acpi_rsdp_search(&builder.memory, &roots), -ENOENT);
    builder.at = ACPI_BUILDER_BASE + ACPI_BUILDER_SIZE - 32; /* the very last place */
    acpi_builder_rsdp(&builder, 0x4321, 0);
    assert_int_equal(acpi_rsdp_search(&builder.memory, &roots), 0);
    assert_int_equal(roots.rsdt, 0x4321);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(follows_both_lists, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bad_xsdt_leaves_the_rsdt, setup, teardown),
        cmocka_unit_test_setup_teardown(leaves_bad_tables_out, setup, teardown),
        cmocka_unit_test_setup_teardown(finds_the_dsdt, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_list_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(a_table_that_changes_is_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(out_of_memory_leaks_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(decodes_root_pointers, setup, teardown),
        cmocka_unit_test_setup_teardown(searches_the_rom, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
