/* The buddy allocator alone: splitting and merging, holes, random churn against a model, and an audit that can fail. */
#include "support/host_memory.h"
#include "support/random.h"
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

#include <base/align.h>

#include "../../mm/buddy.h"

#define FRAMES 8192ull

static struct buddy buddy;
static struct audit_report report;

static void start(void)
{
    host_memory_init(FRAMES);
    buddy_init(&buddy, pfn(0), pfn(FRAMES));
}

static unsigned violations(void)
{
    memset(&report, 0, sizeof(report));
    buddy_audit(&buddy, "test", &report);
    return report.nr_violations;
}

/* What the page allocator does around the buddy's calls. */
static struct page *take(unsigned order)
{
    struct page *page = buddy_take(&buddy, order);

    for (size_t i = 0; page && i < (size_t)1 << order; i++)
        page[i].owner = PAGE_PRIVATE;
    if (page)
        page->order = (uint8_t)order;
    return page;
}

static void give(struct page *page, unsigned order)
{
    for (size_t i = 0; i < (size_t)1 << order; i++)
        page[i].owner = PAGE_FREE;
    page->order = PAGE_ORDER_TAIL;
    buddy_give(&buddy, page, order);
}

static void test_split_and_merge(void **state)
{
    (void)state;
    start();
    buddy_give_range(&buddy, pfn(0), pfn(FRAMES));
    assert_int_equal(buddy.nr_free, FRAMES);
    assert_int_equal(buddy.nr_blocks[PAGE_ORDER_MAX], FRAMES >> PAGE_ORDER_MAX);
    struct page *page = take(0);
    assert_non_null(page);
    for (unsigned order = 0; order < PAGE_ORDER_MAX; order++)
        assert_int_equal(buddy.nr_blocks[order], 1);
    assert_int_equal(violations(), 0);
    give(page, 0);
    for (unsigned order = 0; order < PAGE_ORDER_MAX; order++)
        assert_int_equal(buddy.nr_blocks[order], 0);
    assert_int_equal(buddy.nr_blocks[PAGE_ORDER_MAX], FRAMES >> PAGE_ORDER_MAX);
    assert_int_equal(violations(), 0);
}

static void test_odd_range(void **state)
{
    (void)state;
    start();
    for (unsigned i = 0; i < FRAMES; i++)
        if (i < 3 || i >= 1027)
            host_page_array[i].owner = PAGE_RESERVED;
    buddy_give_range(&buddy, pfn(3), pfn(1027));
    assert_int_equal(buddy.nr_free, 1024);
    assert_int_equal(violations(), 0);
    uint64_t count = 0;
    while (take(0))
        count++;
    assert_int_equal(count, 1024);
    assert_int_equal(buddy.orders_free, 0);
}

/* The half above is in a hole: it has no struct page to look at. */
static void test_hole(void **state)
{
    (void)state;
    start();
    host_memory_remove_group(1);
    buddy_give_range(&buddy, pfn(0), pfn(128));
    assert_int_equal(buddy.nr_blocks[7], 1);
    assert_int_equal(violations(), 0);
}

static void test_bounds(void **state)
{
    (void)state;
    start();
    struct buddy above;

    buddy_init(&buddy, pfn(0), pfn(256));
    buddy_init(&above, pfn(256), pfn(FRAMES));
    buddy_give_range(&above, pfn(256), pfn(512));
    buddy_give_range(&buddy, pfn(0), pfn(256)); /* must not merge with the other's half */
    assert_int_equal(buddy.nr_blocks[8], 1);
    assert_int_equal(above.nr_blocks[8], 1);
    assert_int_equal(violations(), 0);
}

/* Random blocks in random order; no frame is handed out twice, the audit holds throughout, and in the end all is one.
 */
static void test_churn(void **state)
{
    (void)state;
    static struct {
        struct page *page;
        unsigned order;
    } held[512];
    static uint8_t is_taken[FRAMES];
    uint64_t seed = 42;

    start();
    memset(is_taken, 0, sizeof(is_taken));
    buddy_give_range(&buddy, pfn(0), pfn(FRAMES));
    for (unsigned step = 0; step < 200000; step++) {
        unsigned slot = random_below(&seed, 512);
        if (held[slot].page) {
            memset(is_taken + page_to_pfn(held[slot].page).number, 0, 1ull << held[slot].order);
            give(held[slot].page, held[slot].order);
            held[slot].page = NULL;
        } else {
            unsigned order = (unsigned)__builtin_ctzll(random_next(&seed) | 1ull << PAGE_ORDER_MAX);
            held[slot].page = take(order);
            held[slot].order = order;
            if (!held[slot].page)
                continue;
            uint64_t frame = page_to_pfn(held[slot].page).number;
            assert_true(is_aligned(frame, 1ull << order));
            assert_null(memchr(is_taken + frame, 1, 1ull << order));
            memset(is_taken + frame, 1, 1ull << order);
        }
        if (step % 1000 == 0)
            assert_int_equal(violations(), 0);
    }
    for (unsigned slot = 0; slot < 512; slot++)
        if (held[slot].page)
            give(held[slot].page, held[slot].order);
    assert_int_equal(buddy.nr_free, FRAMES);
    assert_int_equal(buddy.nr_blocks[PAGE_ORDER_MAX], FRAMES >> PAGE_ORDER_MAX);
    assert_int_equal(violations(), 0);
}

/* Each way the lists can be wrong is seen by the audit. */
static void test_audit_can_fail(void **state)
{
    (void)state;
    start();
    buddy_give_range(&buddy, pfn(0), pfn(FRAMES));
    struct page *page = take(0), *head = list_entry(buddy.free[5].next, struct page, link);
    assert_int_equal(violations(), 0);

    head->owner = PAGE_SLAB;
    assert_int_equal(violations(), 1);
    head->owner = PAGE_FREE;
    head->order = 4;
    assert_true(violations() > 0);
    head->order = 5;
    head[7].owner = PAGE_SLAB;
    assert_int_equal(violations(), 1);
    head[7].owner = PAGE_FREE;
    head->references = 1;
    assert_int_equal(violations(), 1);
    head->references = 0;
    buddy.nr_free++;
    assert_int_equal(violations(), 1);
    buddy.nr_free--;
    buddy.nr_blocks[5]++;
    assert_true(violations() > 0);
    buddy.nr_blocks[5]--;
    buddy.orders_free ^= 1u << 7;
    assert_int_equal(violations(), 1);
    buddy.orders_free ^= 1u << 7;
    struct list *next = head->link.next;
    head->link.next = &head->link; /* a loop */
    assert_true(violations() > 0);
    head->link.next = next;
    assert_int_equal(violations(), 0);

    /* Two halves left unmerged. */
    page->owner = PAGE_FREE;
    page->order = 0;
    list_add_first(&buddy.free[0], &page->link);
    buddy.nr_blocks[0]++;
    buddy.nr_free++;
    assert_int_equal(violations(), 2);
}

static void test_corrupt_list_is_fatal(void **state)
{
    (void)state;
    start();
    buddy_give_range(&buddy, pfn(0), pfn(1));
    host_page_array[0].owner = PAGE_SLAB;
    assert_true(UNIT_ENDS_KERNEL((void)!buddy_take(&buddy, 0)));
    assert_non_null(strstr(unit_last_words, "free list of order 0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split_and_merge),
        cmocka_unit_test(test_odd_range),
        cmocka_unit_test(test_hole),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_churn),
        cmocka_unit_test(test_audit_can_fail),
        cmocka_unit_test(test_corrupt_list_is_fatal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
