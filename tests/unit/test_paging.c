/* What a change of the kernel's mappings has the TLB forget: every translation that was there for a moment, too. */
#include "support/host_memory.h"
#include "support/host_tables.h"
#include "support/unit.h"

#include <base/align.h>
#include <base/errno.h>
#include <cpu/percpu.h>
#include <mm/page_alloc.h>
#include <mm/paging.h>
#include <mm/tlb.h>

#include "../../mm/kernel_tables.h"

#define FRAMES 1024ull
#define BASE   0xffffc00000000000ull
#define PAGES  4u

static uint64_t forgotten_from, forgotten_bytes;

void tlb_flush_range(vaddr_t base, uint64_t length)
{
    assert_null(percpu.held_locks);
    forgotten_from = base.value;
    forgotten_bytes = length;
}

void tlb_flush_tables(vaddr_t base, uint64_t length)
{
    tlb_flush_range(base, length);
}

static int start(void **state)
{
    host_page_alloc_init(FRAMES);
    tables_left = 3;
    kernel_tables = (struct page_tables){.physical_bits = 40, .table_alloc = table_alloc};
    list_init(&kernel_tables.retired);
    forgotten_from = forgotten_bytes = 0;
    assert_int_equal(table_alloc(&kernel_tables.root), 0);
    tables_left = 3;
    return paging_map(vaddr(BASE), paddr(0), PAGE_SIZE, MAP_WRITE); /* the tables of the first 2 MiB stay */
}

static uint64_t at(uint64_t bytes_before_2m)
{
    return BASE + PAGE_SIZE_2M - bytes_before_2m;
}

static void test_new_mappings_forget_nothing(void **state)
{
    assert_int_equal(paging_map(vaddr(at(PAGE_SIZE)), paddr(0), PAGE_SIZE, MAP_WRITE), 0);
    assert_int_equal(forgotten_bytes, 0);
    assert_int_equal(paging_map(vaddr(BASE), paddr(1), PAGE_SIZE, MAP_WRITE), -EINVAL);
    assert_int_equal(forgotten_bytes, 0);
}

/* The first pages are mapped when there is no table for the others. */
static void test_failure_half_way(void **state)
{
    uint64_t base = at(2 * PAGE_SIZE), length = PAGES * PAGE_SIZE;

    assert_int_equal(paging_map(vaddr(base), paddr(0), length, MAP_WRITE), -ENOMEM);
    assert_true(list_is_empty(&kernel_tables.retired));
    assert_int_equal(forgotten_from, base);
    assert_true(forgotten_bytes >= 2 * PAGE_SIZE);
}

/* The same where something is mapped behind them. */
static void test_something_there(void **state)
{
    uint64_t base = at(2 * PAGE_SIZE), length = PAGES * PAGE_SIZE;

    tables_left = 1;
    assert_int_equal(paging_map(vaddr(BASE + PAGE_SIZE_2M), paddr(0), PAGE_SIZE, MAP_WRITE), 0);
    assert_int_equal(paging_map(vaddr(base), paddr(0), length, MAP_WRITE), -EEXIST);
    assert_int_equal(forgotten_from, base);
    assert_true(forgotten_bytes >= 2 * PAGE_SIZE);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_new_mappings_forget_nothing, start),
        cmocka_unit_test_setup(test_failure_half_way, start),
        cmocka_unit_test_setup(test_something_there, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
