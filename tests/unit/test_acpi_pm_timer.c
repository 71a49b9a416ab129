/* The PM timer against a counter that wraps and one that is read while it counts. */
#include "support/unit.h"

#include <string.h>

#include <acpi/fadt.h>
#include <cpu/io.h>
#include <drivers/clocks.h>
#include <mm/paging.h>
#include <mm/vmalloc.h>
#include <time/source.h>

static struct acpi_fixed fixed;
static struct clock_source *registered;
static const uint32_t *values; /* one for each read, in turn; then the counter goes on from the last */
static unsigned nr_values, nr_reads;
static uint32_t counter;

const struct acpi_fixed *acpi_fixed(void)
{
    return &fixed;
}

void clock_source_register(struct clock_source *source)
{
    registered = source;
}

void *device_map(paddr_t base, size_t size, unsigned flags)
{
    fail_msg("it is at a port");
    return NULL;
}

uint32_t in32(uint16_t port)
{
    assert_int_equal(port, 0x608);
    if (nr_reads < nr_values)
        counter = values[nr_reads];
    else
        counter++;
    nr_reads++;
    return counter;
}

static uint64_t read_these(const uint32_t *these, unsigned count)
{
    values = these;
    nr_values = count;
    nr_reads = 0;
    return registered->read(registered);
}

static void start(uint32_t flags)
{
    fixed = (struct acpi_fixed){.pm_timer = {ACPI_SPACE_IO, 0x608, 32}, .flags = flags};
    registered = NULL;
    nr_values = nr_reads = 0;
    acpi_pm_timer_init();
}

static void in_order(void **state)
{
    start(0);
    assert_int_equal(registered->mask, 0xffffff);
    assert_int_equal(read_these((const uint32_t[]){5, 6, 7}, 3), 6);
    assert_int_equal(read_these((const uint32_t[]){0xfffffe, 0xffffff, 0}, 3), 0xffffff);
    assert_int_equal(read_these((const uint32_t[]){0xffffff, 0, 1}, 3), 0);
    start(ACPI_FADT_TMR_VAL_EXT);
    assert_int_equal(registered->mask, 0xffffffff);
    assert_int_equal(read_these((const uint32_t[]){0xffffffff, 0, 1}, 3), 0);
}

/* Read while 0x0fff became 0x1000: bits of both, in each place. */
static void torn_values(void **state)
{
    static const uint32_t torn[] = {0x1fff, 0x0000};

    start(0);
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned place = 0; place < 3; place++) {
            uint32_t these[6] = {0x0ffe, 0x0fff, 0x1000, 0x1001, 0x1002, 0x1003};
            uint64_t value;

            these[place] = torn[i];
            value = read_these(these, 6);
            assert_true(value >= 0x0ffe && value <= 0x1003);
        }
    }
}

/* Garbage without end is read so often and no more. */
static void no_order_at_all(void **state)
{
    static uint32_t these[1000];

    start(0);
    for (unsigned i = 0; i < 1000; i++)
        these[i] = i % 2 ? 0x900000 + i : i;
    (void)read_these(these, 1000);
    assert_true(nr_reads < 200);
}

static void a_counter_that_stands(void **state)
{
    static uint32_t these[500];

    values = these;
    nr_values = 500;
    nr_reads = 0;
    fixed = (struct acpi_fixed){.pm_timer = {ACPI_SPACE_IO, 0x608, 32}};
    registered = NULL;
    acpi_pm_timer_init();
    assert_null(registered);
    assert_true(nr_reads < 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order),
        cmocka_unit_test(torn_values),
        cmocka_unit_test(no_order_at_all),
        cmocka_unit_test(a_counter_that_stands),
    };

    return cmocka_run_group_tests_name("drivers/acpi_pm_timer", tests, NULL, NULL);
}
