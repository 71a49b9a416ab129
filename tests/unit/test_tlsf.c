/* The second heap design: the same contract and the same property test as the slab heap, its own audit, its checks. */
#include "support/heap_host.h"
#include "support/host_memory.h"
#include "support/unit.h"

#include <string.h>

#include <base/align.h>
#include <mm/fail_inject.h>
#include <mm/heap_report.h>
#include <mm/kmalloc.h>
#include <mm/page_alloc.h>

#include "../../mm/tlsf_internal.h"

#define FRAMES 16384ull

static const struct heap_design *const tlsf = &heap_design_tlsf;

static int start(void **state)
{
    heap_host_init(FRAMES);
    tlsf_init();
    return 0;
}

static uint64_t free_pages(void)
{
    tlsf->settle();
    return page_counts().free;
}

static unsigned violations(void)
{
    static struct audit_report report;

    memset(&report, 0, sizeof(report));
    tlsf_audit(&tlsf_normal, &report);
    tlsf_audit(&tlsf_dma32, &report);
    for (unsigned i = 0; i < report.nr_violations && i < AUDIT_KEPT; i++)
        print_message("audit: %s\n", report.text[i]);
    return report.nr_violations;
}

static void test_property(void **state)
{
    uint64_t before = free_pages();

    for (uint64_t seed = 1; seed <= 12; seed++) {
        const char *wrong = heap_property(tlsf, seed, 5000, 20000);

        if (wrong)
            fail_msg("seed %lu: %s", (unsigned long)seed, wrong);
        assert_int_equal(violations(), 0);
    }
    assert_int_equal(free_pages(), before);
    assert_int_equal(tlsf->pages(), 0);
}

/* The audit in the middle of things, and that it sees a spoiled tag. */
static void test_audit(void **state)
{
    void *objects[500];

    for (unsigned i = 0; i < ARRAY_SIZE(objects); i++) {
        objects[i] = tlsf->alloc(1 + i * 7 % 3000, 0);
        assert_non_null(objects[i]);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(objects); i += 3)
        tlsf->free(objects[i]);
    assert_int_equal(violations(), 0);
    struct tlsf_block *block = (struct tlsf_block *)objects[1] - 1;

    block->previous_size += 16;
    assert_int_not_equal(violations(), 0);
    block->previous_size -= 16;
    tlsf_normal.first_bits ^= 1u << 5;
    tlsf_normal.second_bits[5] ^= 1;
    assert_int_not_equal(violations(), 0);
}

static void test_alignment(void **state)
{
    for (size_t size = 1; size <= 3 * PAGE_SIZE; size++) {
        size_t alignment = is_power_of_two(size) && size > 16 ? size : 16;
        char *object = tlsf->alloc(size, ALLOC_ZERO);

        alignment = alignment > PAGE_SIZE ? PAGE_SIZE : alignment;
        assert_non_null(object);
        assert_true(is_aligned((uint64_t)(object - host_physmap), alignment));
        memset(object, 0xff, size);
        tlsf->free(object);
    }
    assert_int_equal(violations(), 0);
}

static void test_limits(void **state)
{
    uint64_t before = free_pages();
    static const size_t sizes[] = {1, KIB(100), KIB(256), KIB(512) - 1, KIB(512), KIB(512) + 1, MIB(1), KMALLOC_MAX};

    assert_null(tlsf->alloc(0, 0));
    assert_null(tlsf->alloc(KMALLOC_MAX + 1, 0));
    assert_null(tlsf->alloc(SIZE_MAX, 0));
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        char *object = tlsf->alloc(sizes[i], i % 2 ? ALLOC_DMA32 : 0);

        assert_non_null(object);
        memset(object, 1, sizes[i]);
        tlsf->free(object);
    }
    tlsf->free(NULL);
    assert_int_equal(free_pages(), before);
}

static void test_exhaustion(void **state)
{
    static const size_t sizes[] = {40, 64, 3000, 4096, 100000};
    uint64_t before = free_pages();

    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        size_t reached[2] = {0};

        for (unsigned round = 0; round < 2; round++) {
            void **chain = NULL, **object;

            while ((object = tlsf->alloc(sizes[i], 0))) {
                *object = chain;
                chain = object;
                reached[round]++;
            }
            assert_true(reached[round] * sizes[i] > FRAMES * PAGE_SIZE / 4);
            while (chain) {
                object = chain;
                chain = *object;
                tlsf->free(object);
            }
            assert_int_equal(free_pages(), before);
        }
        assert_int_equal(reached[0], reached[1]);
    }
}

static void test_faults(void **state)
{
    static int data;
    uint8_t *object, *other, kept;
    struct page *page = page_alloc(0, PAGE_PRIVATE, 0);

    for (volatile size_t size = 1; size < 600; size += 1) {
        object = tlsf->alloc(size, 0);
        kept = object[size];
        object[size] = 0;
        ASSERT_REPORTS(HEAP_REDZONE_OVERWRITTEN " (overflow of 1 byte)", tlsf->free(object));
        object[size] = kept;
        tlsf->free(object);
        ASSERT_REPORTS(HEAP_DOUBLE_FREE, tlsf->free(object));
    }
    object = tlsf->alloc(300, 0);
    other = tlsf->alloc(300, 0);
    memset(object, 0, 300);
    ASSERT_REPORTS(HEAP_MIDDLE_OF_OBJECT, tlsf->free(object + 32));
    ASSERT_REPORTS(HEAP_MIDDLE_OF_OBJECT, tlsf->free(object + 1));
    ASSERT_REPORTS(HEAP_NOT_AN_OBJECT, tlsf->free(&data));
    ASSERT_REPORTS(HEAP_NOT_AN_OBJECT, tlsf->free(page_to_address(page)));
    tlsf->free(object);
    object[40] ^= 1;
    ASSERT_REPORTS(HEAP_USE_AFTER_FREE_WRITE, (void)!tlsf->alloc(300, 0));
    ASSERT_REPORTS(HEAP_USE_AFTER_FREE_WRITE, tlsf->free(other));
}

static void test_every_allocation_failing(void **state)
{
    uint64_t before = free_pages();

    for (uint64_t nth = 1;; nth++) {
        void *objects[30];
        bool has_failed;

        fail_inject_arm(FAIL_ANY, nth);
        for (unsigned i = 0; i < ARRAY_SIZE(objects); i++)
            objects[i] = tlsf->alloc((size_t)16 << i % 12, 0);
        has_failed = fail_inject_disarm();
        for (unsigned i = 0; i < ARRAY_SIZE(objects); i++)
            tlsf->free(objects[i]);
        assert_int_equal(violations(), 0);
        assert_int_equal(free_pages(), before);
        if (!has_failed)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_property, start),
        cmocka_unit_test_setup(test_audit, start),
        cmocka_unit_test_setup(test_alignment, start),
        cmocka_unit_test_setup(test_limits, start),
        cmocka_unit_test_setup(test_exhaustion, start),
        cmocka_unit_test_setup(test_faults, start),
        cmocka_unit_test_setup(test_every_allocation_failing, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
