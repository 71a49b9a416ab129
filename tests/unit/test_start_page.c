/* Which page other CPUs start in, out of those that the page allocator has below 1 MiB: a double of it hands out what a
 * machine's memory map leaves. */
#include "support/unit.h"

#include <base/errno.h>
#include <mm/page_alloc.h>
#include <mm/physmap.h>

#include "../../src/smp/start_page.h"

#define LOW_PAGES 256u

static struct page pages[LOW_PAGES];
struct page *host_page_array = pages;

static const uint64_t *offered; /* page numbers in the order in which they are handed out */
static unsigned nr_offered, next_offered, nr_out;

struct page *page_alloc(unsigned order, enum page_owner owner, unsigned alloc_flags)
{
    assert_int_equal(order, 0);
    assert_true(alloc_flags & ALLOC_LOW);
    if (next_offered == nr_offered)
        return NULL;
    nr_out++;
    return &pages[offered[next_offered++]];
}

void page_free(struct page *page, unsigned order)
{
    nr_out--;
}

#define OFFER(...)                                     \
    static const uint64_t numbers[] = {__VA_ARGS__};   \
    offered = numbers;                                 \
    nr_offered = sizeof(numbers) / sizeof(numbers[0]); \
    next_offered = nr_out = 0

static void expect_page(uint64_t number)
{
    struct page *page = NULL;

    assert_int_equal(start_page_alloc(&page), 0);
    assert_int_equal(page_to_pfn(page).number, number);
    assert_int_equal(nr_out, 1);
}

static void test_first_that_is_free(void **state)
{
    OFFER(0x37, 0x38);
    expect_page(0x37);
}

static void test_last_below_video_memory(void **state)
{
    OFFER(0x9f);
    expect_page(0x9f);
}

/* Memory where no start-up interrupt reaches, and the firmware's own page, go back. */
static void test_unusable_ones_go_back(void **state)
{
    OFFER(0xff, 0xa0, 0, 0xbf, 0x5);
    expect_page(0x5);
}

static void test_none(void **state)
{
    struct page *page = NULL;

    OFFER(0xa0, 0xc0);
    assert_int_equal(start_page_alloc(&page), -ENOMEM);
    assert_null(page);
    assert_int_equal(nr_out, 0);
    nr_offered = next_offered = 0;
    assert_int_equal(start_page_alloc(&page), -ENOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_that_is_free),
        cmocka_unit_test(test_last_below_video_memory),
        cmocka_unit_test(test_unusable_ones_go_back),
        cmocka_unit_test(test_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
