/* An HPET that claims more comparators than its block holds, and one that is said to be where none can be. The block is
 * allocated to its size, and the sanitizer sees what is touched behind it. */
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

#include <acpi/tables.h>
#include <base/errno.h>
#include <debug/log.h>
#include <drivers/clocks.h>
#include <hw/hpet.h>
#include <irq/irq.h>
#include <mm/paging.h>
#include <mm/vmalloc.h>
#include <time/source.h>

static uint64_t base;
static uint32_t *block; /* of memory: it does not count, and is not used in the end */
static unsigned nr_maps, nr_warnings;

int acpi_hpet_info(struct acpi_hpet_info *info)
{
    *info = (struct acpi_hpet_info){.base = paddr(base)};
    return 0;
}

void *device_map(paddr_t address, size_t size, unsigned flags)
{
    assert_int_equal(address.value, base);
    assert_int_equal(size, HPET_SIZE);
    nr_maps++;
    return block;
}

uint64_t clock_now_ns(void)
{
    return 0;
}

void clock_source_register(struct clock_source *source)
{
    fail_msg("it does not count");
}

int event_source_register(struct event_source *source)
{
    fail_msg("it does not count");
    return -EIO;
}

void event_fired(struct event_source *source)
{
}

int irq_request_gsi(uint32_t gsi, enum irq_trigger trigger, enum irq_polarity polarity, unsigned flags,
                    irq_handler handler, void *context, const char *name, struct irq **irq)
{
    fail_msg("it does not count");
    return -EBUSY;
}

void irq_release(struct irq *irq)
{
}

void log_write(enum log_level level, const char *format, ...)
{
    nr_warnings += level == LOG_WARN;
}

static void start(uint64_t address, unsigned nr_comparators)
{
    base = address;
    nr_maps = nr_warnings = 0;
    block = malloc(HPET_SIZE);
    assert_non_null(block);
    memset(block, 0xee, HPET_SIZE);
    block[0] = (nr_comparators - 1) << 8 | 1;
    block[1] = 10000000; /* 100 MHz */
    hpet_init();
}

static unsigned nr_silenced(void)
{
    unsigned n = 0;

    for (unsigned i = 0x100 / 4; i < HPET_SIZE / 4; i += 0x20 / 4)
        n += block[i] == 0;
    return n;
}

static void comparators_are_those_that_the_block_holds(void **state)
{
    for (unsigned claimed = 1; claimed <= 32; claimed++) {
        start(0xfed00000, claimed);
        assert_int_equal(nr_silenced(), claimed < 24 ? claimed : 24);
        assert_int_equal(nr_warnings, 1);
        free(block);
    }
}

static void a_base_that_is_not_aligned_is_refused(void **state)
{
    for (unsigned low = 1; low < 8; low++) {
        start(0xfed00000 + low, 3);
        assert_int_equal(nr_maps, 0);
        assert_int_equal(nr_warnings, 1);
        hpet_event_init();
        free(block);
    }
    start(0xfed00008, 3);
    assert_int_equal(nr_maps, 1);
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_base_that_is_not_aligned_is_refused),
        cmocka_unit_test(comparators_are_those_that_the_block_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
