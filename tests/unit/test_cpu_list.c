/* From the firmware's table of interrupt controllers to the list of CPUs to start. */
#include "support/unit.h"

#include <string.h>

#include <acpi/madt.h>

#include "../../src/smp/cpu_list.h"

#define ENABLED        ACPI_MADT_CPU_ENABLED
#define ONLINE_CAPABLE ACPI_MADT_CPU_ONLINE_CAPABLE

static union {
    struct acpi_madt madt;
    struct acpi_header header;
    uint8_t bytes[16384];
} table;

static int setup(void **state)
{
    memset(&table, 0, sizeof(table));
    table.header.length = sizeof(struct acpi_madt);
    return 0;
}

static void add_bytes(const void *entry, size_t size)
{
    memcpy(table.bytes + table.header.length, entry, size);
    table.header.length += (uint32_t)size;
}

static void add_lapic(uint8_t apic_id, uint32_t flags)
{
    struct acpi_madt_lapic entry = {{ACPI_MADT_LAPIC, sizeof(entry)}, .apic_id = apic_id, .flags = flags};

    add_bytes(&entry, sizeof(entry));
}

static void add_x2apic(uint32_t apic_id, uint32_t flags)
{
    struct acpi_madt_x2apic entry = {{ACPI_MADT_X2APIC, sizeof(entry)}, .apic_id = apic_id, .flags = flags};

    add_bytes(&entry, sizeof(entry));
}

static struct cpu_list read_list(uint32_t own_id, uint32_t most)
{
    struct cpu_list list;

    memset(&list, 0x5a, sizeof(list));
    cpu_list_read(&list, &table.header, own_id, most);
    return list;
}

static void test_no_table(void **state)
{
    struct cpu_list list;

    cpu_list_read(&list, NULL, 7, CPU_MAX);
    assert_int_equal(list.nr_cpus, 1);
    assert_int_equal(list.apic_ids[0], 7);
}

static void test_sparse_ids_in_order(void **state)
{
    static const uint32_t expected[] = {4, 0, 200, 6, 4096};

    add_lapic(0, ENABLED);
    add_lapic(200, ENABLED);
    add_lapic(4, ENABLED); /* the boot CPU's own */
    add_x2apic(6, ENABLED | ONLINE_CAPABLE);
    add_x2apic(4096, ENABLED);
    struct cpu_list list = read_list(4, CPU_MAX);

    assert_int_equal(list.nr_cpus, 5);
    assert_memory_equal(list.apic_ids, expected, sizeof(expected));
    assert_int_equal(list.nr_invalid + list.nr_disabled + list.nr_more, 0);
}

static void test_not_enabled(void **state)
{
    add_lapic(0, ENABLED);
    add_lapic(1, 0);
    add_lapic(2, ONLINE_CAPABLE);
    add_x2apic(300, ONLINE_CAPABLE);
    struct cpu_list list = read_list(0, CPU_MAX);

    assert_int_equal(list.nr_cpus, 1);
    assert_int_equal(list.nr_disabled, 3);
}

static void test_ids_that_cannot_be(void **state)
{
    add_lapic(0, ENABLED);
    add_lapic(0xff, ENABLED);
    add_x2apic(0xffffffff, ENABLED);
    add_x2apic(0xff, ENABLED); /* an x2APIC's may be that */
    add_lapic(3, ENABLED);
    add_x2apic(3, ENABLED); /* again */
    struct cpu_list list = read_list(0, CPU_MAX);

    assert_int_equal(list.nr_cpus, 3);
    assert_int_equal(list.apic_ids[1], 0xff);
    assert_int_equal(list.apic_ids[2], 3);
    assert_int_equal(list.nr_invalid, 3);
}

static void test_bound(void **state)
{
    for (uint32_t id = 0; id < 400; id++)
        add_x2apic(id, ENABLED);
    struct cpu_list list = read_list(0, CPU_MAX);

    assert_int_equal(list.nr_cpus, CPU_MAX);
    assert_int_equal(list.apic_ids[CPU_MAX - 1], CPU_MAX - 1);
    assert_int_equal(list.nr_more, 400 - CPU_MAX);
    list = read_list(399, 1);
    assert_int_equal(list.nr_cpus, 1);
    assert_int_equal(list.apic_ids[0], 399);
    assert_int_equal(list.nr_more, 399);
}

/* An entry shorter than its type is passed over; a length that leads nowhere ends the walk. */
static void test_broken_entries(void **state)
{
    static const uint8_t is_short[] = {ACPI_MADT_LAPIC, 4, 9, 9}, leads_nowhere[] = {ACPI_MADT_LAPIC, 0};

    add_bytes(is_short, sizeof(is_short));
    add_lapic(1, ENABLED);
    add_bytes(leads_nowhere, sizeof(leads_nowhere));
    add_lapic(2, ENABLED);
    struct cpu_list list = read_list(0, CPU_MAX);

    assert_int_equal(list.nr_cpus, 2);
    assert_int_equal(list.apic_ids[1], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_no_table, setup),    cmocka_unit_test_setup(test_sparse_ids_in_order, setup),
        cmocka_unit_test_setup(test_not_enabled, setup), cmocka_unit_test_setup(test_ids_that_cannot_be, setup),
        cmocka_unit_test_setup(test_bound, setup),       cmocka_unit_test_setup(test_broken_entries, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
