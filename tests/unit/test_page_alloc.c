/* Zones and per-CPU lists over the buddy allocator: owners, flags, exhaustion, and the caller's mistakes. */
#include "support/host_memory.h"
#include "support/random.h"
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

#include <base/align.h>
#include <mm/page_alloc.h>

#include "../../mm/zone.h"

#define FRAMES 8192ull /* 32 MiB */

static uint64_t nr_free(void)
{
    return page_counts().free;
}

static void test_counts(void **state)
{
    (void)state;
    host_page_alloc_init(FRAMES);
    assert_int_equal(page_counts().total, FRAMES - 1);
    assert_int_equal(nr_free(), FRAMES - 1);
    struct page *page = page_alloc(0, PAGE_SLAB, 0);
    assert_non_null(page);
    assert_int_equal(page->owner, PAGE_SLAB);
    assert_int_equal(page->order, 0);
    assert_int_equal(page->references, 1);
    assert_int_equal(nr_free(), FRAMES - 2); /* what waits on the CPU's list counts as free */
    page_free(page, 0);
    assert_int_equal(nr_free(), FRAMES - 1);
    page_alloc_drain_cpu();
    assert_int_equal(page_alloc_cached(ZONE_DMA32), 0);
    assert_int_equal(nr_free(), FRAMES - 1);
}

static void test_block_owner(void **state)
{
    (void)state;
    host_page_alloc_init(FRAMES);
    struct page *page = page_alloc(3, PAGE_STACK, ALLOC_ZERO);
    assert_non_null(page);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(page[i].owner, PAGE_STACK);
    for (unsigned i = 1; i < 8; i++)
        assert_int_equal(page[i].order, PAGE_ORDER_TAIL);
    assert_true(is_aligned(page_to_pfn(page).number, 8));
    assert_ptr_equal(page_of_address((char *)page_to_address(page) + 5000), page + 1);
    page_free(page, 3);
    assert_null(page_alloc(PAGE_ORDER_MAX + 1, PAGE_STACK, 0));
    assert_int_equal(nr_free(), FRAMES - 1);
}

static void test_zero(void **state)
{
    (void)state;
    host_page_alloc_init(FRAMES);
    struct page *page = page_alloc(0, PAGE_PRIVATE, 0);
    memset(page_to_address(page), 0xa5, PAGE_SIZE);
    page_free(page, 0);
    struct page *again = page_alloc(0, PAGE_PRIVATE, ALLOC_ZERO);
    assert_ptr_equal(again, page);
    const char *bytes = page_to_address(again);
    for (unsigned i = 0; i < PAGE_SIZE; i++)
        assert_int_equal(bytes[i], 0);
    page_free(again, 0);
}

static void test_zones(void **state)
{
    (void)state;
    uint64_t frames = ZONE_DMA32_END + 4096; /* 16 MiB above 4 GiB */

    host_page_alloc_init(frames);
    struct page *low = page_alloc(0, PAGE_PRIVATE, ALLOC_LOW), *dma = page_alloc(0, PAGE_PRIVATE, ALLOC_DMA32);
    struct page *any = page_alloc(0, PAGE_PRIVATE, 0), *block = page_alloc(4, PAGE_PRIVATE, ALLOC_DMA32);
    assert_true(page_to_pfn(low).number < ZONE_LOW_END);
    assert_in_range(page_to_pfn(dma).number, ZONE_LOW_END, ZONE_DMA32_END - 1);
    assert_in_range(page_to_pfn(block).number, ZONE_LOW_END, ZONE_DMA32_END - 1);
    assert_true(page_to_pfn(any).number >= ZONE_DMA32_END);
    page_free(low, 0);
    page_free(dma, 0);
    page_free(any, 0);
    page_free(block, 4);
    assert_int_equal(page_counts().free, page_counts().total);

    /* NORMAL used up: DMA32 serves. */
    page_alloc_drain_cpu();
    for (unsigned i = 0; i < 4; i++)
        assert_true(page_to_pfn(page_alloc(PAGE_ORDER_MAX, PAGE_PRIVATE, 0)).number >= ZONE_DMA32_END);
    assert_true(page_to_pfn(page_alloc(PAGE_ORDER_MAX, PAGE_PRIVATE, 0)).number < ZONE_DMA32_END);
    assert_true(page_to_pfn(page_alloc(0, PAGE_PRIVATE, 0)).number < ZONE_DMA32_END);
}

/* Every page can be had, LOW's last, none twice; then none; and all come back. */
static void test_exhaustion(void **state)
{
    (void)state;
    static struct page *held[FRAMES];
    uint64_t count = 0;

    host_page_alloc_init(FRAMES);
    while ((held[count] = page_alloc(0, PAGE_PRIVATE, 0))) {
        bool is_low = page_to_pfn(held[count]).number < ZONE_LOW_END;
        assert_int_equal(is_low, count >= FRAMES - ZONE_LOW_END);
        count++;
    }
    assert_int_equal(count, FRAMES - 1);
    assert_int_equal(nr_free(), 0);
    assert_null(page_alloc(0, PAGE_PRIVATE, ALLOC_ZERO));
    assert_null(page_alloc(2, PAGE_PRIVATE, 0));
    while (count > 0)
        page_free(held[--count], 0);
    assert_int_equal(nr_free(), FRAMES - 1);
    page_alloc_drain_cpu();
    assert_int_equal(zone_get(ZONE_DMA32)->buddy.nr_blocks[PAGE_ORDER_MAX], FRAMES / 1024 - 1);
}

/* A block that is only missing what this CPU's list holds. */
static void test_list_gives_way(void **state)
{
    (void)state;
    static struct page *held[FRAMES];
    uint64_t count = 0;

    host_page_alloc_init(2048);
    while ((held[count] = page_alloc(0, PAGE_PRIVATE, 0)))
        count++;
    uint64_t freed = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t frame = page_to_pfn(held[i]).number;
        if (frame >= 1024 && frame < 1024 + 32) {
            page_free(held[i], 0);
            freed++;
        }
    }
    assert_int_equal(freed, 32);
    assert_int_equal(page_alloc_cached(ZONE_DMA32), 32);
    struct page *block = page_alloc(5, PAGE_PRIVATE, 0);
    assert_non_null(block);
    assert_int_equal(page_to_pfn(block).number, 1024);
}

static void expect_words(const char *words)
{
    if (!strstr(unit_last_words, words))
        fail_msg("'%s' is not in '%s'", words, unit_last_words);
}

static void test_mistakes(void **state)
{
    (void)state;
    host_page_alloc_init(FRAMES);
    struct page *page = page_alloc(0, PAGE_PRIVATE, 0), *block = page_alloc(3, PAGE_PRIVATE, 0);

    page_free(page, 0);
    assert_true(UNIT_ENDS_KERNEL(page_free(page, 0)));
    expect_words("page freed twice");
    assert_true(UNIT_ENDS_KERNEL(page_free(block, 2)));
    expect_words("wrong order");
    assert_true(UNIT_ENDS_KERNEL(page_free(block + 1, 0)));
    expect_words("does not begin an allocated block");
    assert_true(UNIT_ENDS_KERNEL(page_free(host_page_array, 0)));
    expect_words("does not begin an allocated block");
    assert_true(UNIT_ENDS_KERNEL(page_free((struct page *)((char *)block + 8), 3)));
    expect_words("is not a struct page");
    assert_true(UNIT_ENDS_KERNEL(page_free(host_page_array + FRAMES, 0)));
    expect_words("is not a struct page");
    assert_true(UNIT_ENDS_KERNEL(page_free(NULL, 0)));
    expect_words("is not a struct page");
    block->references = 2;
    assert_true(UNIT_ENDS_KERNEL(page_free(block, 3)));
    expect_words("with 2 references");
    block->references = 1;
    page_free(block, 3);
    assert_true(UNIT_ENDS_KERNEL(page_free(block, 3)));
    expect_words("page freed twice");
}

static void test_write_after_free(void **state)
{
    (void)state;
    host_page_alloc_init(FRAMES);
    struct page *page = page_alloc(0, PAGE_PRIVATE, 0);
    uint64_t *words = page_to_address(page);

    page_free(page, 0);
    words[3] = 1;
    assert_true(UNIT_ENDS_KERNEL((void)!page_alloc(0, PAGE_PRIVATE, 0)));
    expect_words("written after it was freed");
}

static void audit_zones(void)
{
    struct audit_report report = {0};

    for (unsigned id = 0; id < ZONES; id++)
        buddy_audit(&zone_get((enum zone_id)id)->buddy, zone_get((enum zone_id)id)->name, &report);
    if (report.nr_violations)
        fail_msg("%s", report.text[0]);
}

/* Random orders and flags, 300 times the memory; contents are never shared and the count ends where it began. */
static void test_churn(void **state)
{
    (void)state;
    static struct {
        struct page *page;
        unsigned order;
        uint64_t mark;
    } held[700];
    static const unsigned flags[] = {0, 0, 0, ALLOC_DMA32, ALLOC_LOW};
    uint64_t seed = 7, pages = 0;

    host_page_alloc_init(FRAMES);
    uint64_t before = nr_free();
    for (unsigned step = 0; pages < 300 * FRAMES; step++) {
        unsigned slot = random_below(&seed, 700);
        if (held[slot].page) {
            uint64_t *words = page_to_address(held[slot].page);
            assert_int_equal(words[0], held[slot].mark);
            page_free(held[slot].page, held[slot].order);
            held[slot].page = NULL;
        } else {
            held[slot].order = (unsigned)__builtin_ctzll(random_next(&seed) | 1ull << random_below(&seed, 11));
            held[slot].page = page_alloc(held[slot].order, PAGE_PRIVATE, flags[random_below(&seed, 5)]);
            if (!held[slot].page)
                continue;
            pages += 1ull << held[slot].order;
            held[slot].mark = random_next(&seed);
            *(uint64_t *)page_to_address(held[slot].page) = held[slot].mark;
        }
        if (step % 5000 == 0)
            audit_zones();
    }
    for (unsigned slot = 0; slot < 700; slot++)
        if (held[slot].page)
            page_free(held[slot].page, held[slot].order);
    assert_int_equal(nr_free(), before);
    audit_zones();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),   cmocka_unit_test(test_block_owner),      cmocka_unit_test(test_zero),
        cmocka_unit_test(test_zones),    cmocka_unit_test(test_exhaustion),       cmocka_unit_test(test_list_gives_way),
        cmocka_unit_test(test_mistakes), cmocka_unit_test(test_write_after_free), cmocka_unit_test(test_churn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
