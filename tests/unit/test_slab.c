/* Slab caches and kmalloc: the contract by a property test, then every check by a provoked fault. */
#include "support/heap_host.h"
#include "support/host_memory.h"
#include "support/random.h"
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

#include <base/align.h>
#include <base/errno.h>
#include <cpu/preempt.h>
#include <mm/fail_inject.h>
#include <mm/heap_audit.h>
#include <mm/heap_report.h>
#include <mm/kmalloc.h>
#include <mm/page_alloc.h>
#include <mm/slab.h>

#include "../../mm/slab_internal.h"

#define FRAMES 16384ull /* 64 MiB */

static int start(void **state)
{
    (void)state;
    heap_host_init(FRAMES);
    return 0;
}

static unsigned violations(void)
{
    static struct audit_report report;

    memset(&report, 0, sizeof(report));
    heap_audit.run(&report);
    for (unsigned i = 0; i < report.nr_violations && i < AUDIT_KEPT; i++)
        print_message("audit: %s\n", report.text[i]);
    return report.nr_violations;
}

static void test_property(void **state)
{
    uint64_t before = heap_host_free_pages();
    struct slab_counts counts = slab_counts();

    for (uint64_t seed = 1; seed <= 12; seed++) {
        const char *wrong = heap_property(&heap_design_slab, seed, 5000, 20000);

        if (wrong)
            fail_msg("seed %lu: %s", (unsigned long)seed, wrong);
        assert_int_equal(violations(), 0);
    }
    assert_int_equal(heap_host_free_pages(), before);
    assert_int_equal(slab_counts().objects, counts.objects);
    assert_int_equal(slab_counts().pages, counts.pages);
}

/* Planted bugs: the property test must see each. */
static unsigned calls;

static void *alloc_overlapping(size_t size, unsigned flags)
{
    static char *earlier;
    char *object = kmalloc(size, flags);

    if (++calls % 100 == 50)
        earlier = object;
    return calls % 100 == 51 && size < 100 ? earlier + 16 : object;
}

static void *alloc_misaligned(size_t size, unsigned flags)
{
    char *object = kmalloc(size + 16, flags);

    return ++calls % 100 == 0 ? object + 16 : object;
}

static void *alloc_dirty(size_t size, unsigned flags)
{
    return kmalloc(size, ++calls % 100 == 0 ? 0 : flags);
}

static void *alloc_shrunk(size_t size, unsigned flags)
{
    char *object = kmalloc(size, flags);

    if (object && size >= 32 && ++calls % 64 == 0)
        object[-1] ^= 1; /* writes into a neighbour or its redzone */
    return object;
}

static void test_property_can_fail(void **state)
{
    static void *(*const broken[])(size_t, unsigned) = {alloc_overlapping, alloc_misaligned, alloc_dirty};

    for (unsigned i = 0; i < ARRAY_SIZE(broken); i++) {
        struct heap_design design = {"broken", broken[i], kfree, slab_reap, NULL};
        bool is_found = false;

        calls = 0;
        heap_host_init(FRAMES);
        for (uint64_t seed = 1; seed <= 4 && !is_found; seed++)
            is_found = heap_property(&design, seed, 5000, 4000) != NULL;
        if (!is_found)
            fail_msg("planted bug %u not found", i);
    }
    struct heap_design design = {"broken", alloc_shrunk, kfree, slab_reap, NULL};
    const char *volatile wrong = NULL;

    heap_host_init(FRAMES);
    assert_true(UNIT_ENDS_KERNEL(wrong = heap_property(&design, 1, 5000, 4000)) || wrong);
}

static void test_alignment(void **state)
{
    for (size_t size = 1; size <= 3 * PAGE_SIZE; size++) {
        size_t alignment = is_power_of_two(size) && size > 16 ? size : 16;
        char *object = kmalloc(size, ALLOC_ZERO);

        alignment = alignment > PAGE_SIZE ? PAGE_SIZE : alignment;
        assert_non_null(object);
        assert_true(is_aligned((uint64_t)(object - host_physmap), alignment));
        for (size_t i = 0; i < size; i++)
            assert_int_equal(object[i], 0);
        memset(object, 0xff, size);
        kfree(object);
    }
    assert_int_equal(violations(), 0);
}

static void test_limits(void **state)
{
    void *object;

    assert_null(kmalloc(0, 0));
    assert_null(kmalloc(KMALLOC_MAX + 1, 0));
    assert_null(kmalloc(SIZE_MAX, 0));
    object = kmalloc(KMALLOC_MAX, 0);
    assert_non_null(object);
    memset(object, 1, KMALLOC_MAX);
    kfree(object);
    kfree(NULL);
}

static void test_dma32(void **state)
{
    void *small = kmalloc(100, ALLOC_DMA32), *large = kmalloc(30000, ALLOC_DMA32);

    assert_non_null(small);
    assert_non_null(large);
    kfree(small);
    kfree(large);
}

/* Fills all memory, gets NULL, frees all, twice; the second round gets as much. */
static void exhaust(size_t size)
{
    uint64_t before = heap_host_free_pages();
    size_t reached[2];

    for (unsigned round = 0; round < 2; round++) {
        void **chain = NULL, **object;

        reached[round] = 0;
        while ((object = kmalloc(size, 0))) {
            *object = chain;
            chain = object;
            reached[round]++;
        }
        assert_true(reached[round] * size > FRAMES * PAGE_SIZE / 4);
        while (chain) {
            object = chain;
            chain = *object;
            kfree(object);
        }
        assert_int_equal(heap_host_free_pages(), before);
    }
    assert_int_equal(reached[0], reached[1]);
    assert_int_equal(violations(), 0);
}

static void test_exhaustion(void **state)
{
    exhaust(3000);
    exhaust(64);
    exhaust(4096);
    exhaust(100000);
}

/* Objects of one size fill memory and go; then those of another must be able to. */
static void test_memory_moves_between_caches(void **state)
{
    exhaust(40);
    exhaust(2000);
    exhaust(40);
}

static void test_named_cache(void **state)
{
    uint64_t before = heap_host_free_pages();
    struct slab_cache *cache = slab_cache_create("test", 100, 64, 0);
    struct slab_cache *other = slab_cache_create("other", 100, 64, 0);
    char *objects[500];

    assert_non_null(cache);
    for (unsigned i = 0; i < ARRAY_SIZE(objects); i++) {
        objects[i] = slab_alloc(cache, ALLOC_ZERO);
        assert_non_null(objects[i]);
        assert_true(is_aligned((uint64_t)(objects[i] - host_physmap), 64));
        memset(objects[i], (int)i, 100);
    }
    assert_int_equal(slab_cache_destroy(cache), -EBUSY);
    ASSERT_REPORTS(HEAP_WRONG_CACHE, kfree(objects[0]));
    assert_int_equal(violations(), 0);
    ASSERT_REPORTS(HEAP_WRONG_CACHE, slab_free(other, objects[0]));
    for (unsigned i = 0; i < ARRAY_SIZE(objects); i++) {
        assert_int_equal(objects[i][99], (char)i);
        slab_free(cache, objects[i]);
    }
    slab_free(cache, NULL);
    assert_int_equal(slab_cache_destroy(cache), 0);
    assert_int_equal(slab_cache_destroy(other), 0);
    assert_int_equal(heap_host_free_pages(), before);
    assert_null(slab_cache_create("x", 0, 16, 0));
    assert_null(slab_cache_create("x", SLAB_OBJECT_MAX + 1, 16, 0));
    assert_null(slab_cache_create("x", 64, 24, 0));
    assert_null(slab_cache_create("x", 64, 8192, 0));
}

/* More caches than there are magazine slots: the last ones work without. */
static void test_many_caches(void **state)
{
    struct slab_cache *caches[2 * MAGAZINE_CACHES];
    uint64_t before = heap_host_free_pages();

    for (unsigned i = 0; i < ARRAY_SIZE(caches); i++) {
        void *object;

        caches[i] = slab_cache_create("many", 16 + i * 8, 16, 0);
        assert_non_null(caches[i]);
        object = slab_alloc(caches[i], 0);
        assert_non_null(object);
        slab_free(caches[i], object);
    }
    assert_int_equal(violations(), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(caches); i++)
        assert_int_equal(slab_cache_destroy(caches[i]), 0);
    assert_int_equal(heap_host_free_pages(), before);
}

static void test_redzone(void **state)
{
    for (volatile size_t size = 1; size <= 2 * PAGE_SIZE; size += size < 300 ? 1 : 97) {
        uint8_t *object = kmalloc(size, 0), kept;

        kept = object[size];
        object[size] = 0;
        ASSERT_REPORTS(HEAP_REDZONE_OVERWRITTEN " (overflow of 1 byte)", kfree(object));
        object[size] = kept;
        kfree(object);
    }
    uint8_t *object = kmalloc(48, 0);

    memset(object, 0x41, 48 + 40);
    ASSERT_REPORTS(HEAP_REDZONE_OVERWRITTEN, kfree(object));
}

static void test_use_after_free_write(void **state)
{
    for (volatile unsigned offset = 0; offset < 64; offset++) {
        uint8_t *object = kmalloc(200, 0);

        kfree(object);
        object[offset] ^= 1;
        ASSERT_REPORTS(HEAP_USE_AFTER_FREE_WRITE, (void)!kmalloc(200, 0));
        assert_non_null(strstr(unit_last_words, "allocated at"));
        assert_non_null(strstr(unit_last_words, "freed at"));
    }
    uint8_t *tiny = kmalloc(9, 0);

    kfree(tiny);
    tiny[8] = 7;
    ASSERT_REPORTS(HEAP_USE_AFTER_FREE_WRITE, (void)!kmalloc(9, 0));
}

static void scrub_all(void)
{
    for (unsigned i = 0; i < 1000; i++)
        slab_scrub();
    assert_int_equal(preempt_depth(), 0);
}

static void test_scrubber(void **state)
{
    void *objects[200];
    uint8_t *object;

    for (unsigned i = 0; i < ARRAY_SIZE(objects); i++)
        objects[i] = kmalloc(200, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(objects); i += 2)
        kfree(objects[i]);
    scrub_all();                               /* finds nothing */
    object = objects[ARRAY_SIZE(objects) - 2]; /* in the magazine */
    object[5] ^= 4;
    ASSERT_REPORTS(HEAP_USE_AFTER_FREE_WRITE, scrub_all());
    object[5] ^= 4;
    scrub_all();
    object = objects[2]; /* in a slab */
    object[60] ^= 4;
    ASSERT_REPORTS(HEAP_USE_AFTER_FREE_WRITE, scrub_all());
    assert_int_not_equal(violations(), 0);
    object[60] ^= 4;
    assert_int_equal(violations(), 0);
}

static void test_scrubber_does_not_wait(void **state)
{
    uint8_t *object = kmalloc(200, 0);
    uint64_t flags;

    kfree(object);
    object[5] ^= 4;
    flags = spinlock_lock_irqsave(&slab_caches_lock); /* as if another CPU had it; waiting for it would not end */
    scrub_all();
    spinlock_unlock_irqrestore(&slab_caches_lock, flags);
    ASSERT_REPORTS(HEAP_USE_AFTER_FREE_WRITE, scrub_all());
    object[5] ^= 4;
    assert_int_equal(preempt_depth(), 0); /* of every call, whatever came of it */
    scrub_all();
    assert_int_equal(preempt_depth(), 0);
}

static void test_double_free(void **state)
{
    void *object = kmalloc(64, 0);

    kfree(object);
    ASSERT_REPORTS(HEAP_DOUBLE_FREE, kfree(object));
    assert_non_null(strstr(unit_last_words, "freed again at"));
    object = kmalloc(50000, 0);
    kfree(object);
    ASSERT_REPORTS(HEAP_NOT_AN_OBJECT, kfree(object));
}

static void test_foreign_pointers(void **state)
{
    static int data;
    char *object = kmalloc(64, 0), *large = kmalloc(3 * PAGE_SIZE, 0);
    struct page *page = page_alloc(0, PAGE_PRIVATE, 0);
    struct slab_cache *cache = slab_cache_create("test", 64, 16, 0);

    ASSERT_REPORTS(HEAP_NOT_AN_OBJECT, kfree(&data));
    ASSERT_REPORTS(HEAP_NOT_AN_OBJECT, kfree((void *)8));
    ASSERT_REPORTS(HEAP_NOT_AN_OBJECT, kfree(page_to_address(page)));
    ASSERT_REPORTS(HEAP_MIDDLE_OF_OBJECT, kfree(object + 16));
    ASSERT_REPORTS(HEAP_MIDDLE_OF_OBJECT, kfree(object + 1));
    ASSERT_REPORTS(HEAP_MIDDLE_OF_OBJECT, kfree(large + 1));
    ASSERT_REPORTS(HEAP_MIDDLE_OF_OBJECT, kfree(large + 2 * PAGE_SIZE));
    ASSERT_REPORTS(HEAP_WRONG_CACHE, slab_free(cache, object));
    ASSERT_REPORTS(HEAP_NOT_AN_OBJECT, slab_free(cache, page_to_address(page)));
    kfree(object);
    kfree(large);
    page_free(page, 0);
    assert_int_equal(slab_cache_destroy(cache), 0);
}

static void allocate_many(unsigned count, size_t size)
{
    while (count--)
        assert_non_null(kmalloc(size, 0));
}

static void test_free_list(void **state)
{
    uint64_t *object = kmalloc(64, 0), *link;
    void *objects[200];

    kfree(object);
    link = heap_free_link_of(object);
    assert_non_null(link);
    *link ^= (uint64_t)1 << 20;
    ASSERT_REPORTS(HEAP_FREE_LIST, (void)!kmalloc(64, 0));

    /* In a slab, not a magazine. */
    for (unsigned i = 0; i < ARRAY_SIZE(objects); i++)
        objects[i] = kmalloc(400, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(objects); i++)
        kfree(objects[i]);
    *(uint64_t *)heap_free_link_of(objects[0]) = 0x4141414141414141;
    assert_int_not_equal(violations(), 0);
    ASSERT_REPORTS(HEAP_FREE_LIST, allocate_many(ARRAY_SIZE(objects), 400));
}

/* The link a slab keeps is not the address itself. */
static void test_free_list_is_encoded(void **state)
{
    void *objects[100];

    for (unsigned i = 0; i < ARRAY_SIZE(objects); i++)
        objects[i] = kmalloc(400, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(objects); i++)
        kfree(objects[i]);
    for (unsigned i = 0; i < ARRAY_SIZE(objects); i++) {
        uint64_t *link = heap_free_link_of(objects[i]);

        if (!link)
            continue;
        for (unsigned j = 0; j < ARRAY_SIZE(objects); j++)
            assert_true(*link != (uint64_t)(uintptr_t)objects[j] && *link != 0);
    }
}

static void test_describe(void **state)
{
    char text[200], *object = kmalloc(40, 0), *large = kmalloc(20000, 0);

    assert_true(heap_describe(object + 12, text, sizeof(text)));
    assert_non_null(strstr(text, "slab object 'kmalloc-48' +12 (in use, 40 bytes, allocated at"));
    kfree(object);
    assert_true(heap_describe(object + 12, text, sizeof(text)));
    assert_non_null(strstr(text, "+12 (free, allocated at"));
    assert_true(heap_describe(large + 5000, text, sizeof(text)));
    assert_non_null(strstr(text, "large allocation +5000 (20000 bytes"));
    kfree(large);
    assert_false(heap_describe(large, text, sizeof(text)));
    assert_false(heap_describe(&text, text, sizeof(text)));
}

static void test_every_allocation_failing(void **state)
{
    uint64_t before = heap_host_free_pages();
    struct slab_counts counts = slab_counts();

    for (uint64_t nth = 1;; nth++) {
        struct slab_cache *cache;
        void *objects[40];
        bool has_failed;

        assert_true(nth < 10000);
        fail_inject_arm(FAIL_ANY, nth);
        cache = slab_cache_create("test", 500, 16, 0);
        for (unsigned i = 0; i < ARRAY_SIZE(objects); i++)
            objects[i] = i % 2 && cache ? slab_alloc(cache, 0) : kmalloc((size_t)16 << i % 12, ALLOC_ZERO);
        has_failed = fail_inject_disarm();
        for (unsigned i = 0; i < ARRAY_SIZE(objects); i++) {
            if (i % 2 && cache)
                slab_free(cache, objects[i]);
            else
                kfree(objects[i]);
        }
        if (cache)
            assert_int_equal(slab_cache_destroy(cache), 0);
        assert_int_equal(heap_host_free_pages(), before);
        assert_int_equal(slab_counts().objects, counts.objects);
        assert_int_equal(violations(), 0);
        if (!has_failed)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_property, start),
        cmocka_unit_test_setup(test_property_can_fail, start),
        cmocka_unit_test_setup(test_alignment, start),
        cmocka_unit_test_setup(test_limits, start),
        cmocka_unit_test_setup(test_dma32, start),
        cmocka_unit_test_setup(test_exhaustion, start),
        cmocka_unit_test_setup(test_memory_moves_between_caches, start),
        cmocka_unit_test_setup(test_named_cache, start),
        cmocka_unit_test_setup(test_many_caches, start),
        cmocka_unit_test_setup(test_redzone, start),
        cmocka_unit_test_setup(test_use_after_free_write, start),
        cmocka_unit_test_setup(test_scrubber, start),
        cmocka_unit_test_setup(test_scrubber_does_not_wait, start),
        cmocka_unit_test_setup(test_double_free, start),
        cmocka_unit_test_setup(test_foreign_pointers, start),
        cmocka_unit_test_setup(test_free_list, start),
        cmocka_unit_test_setup(test_free_list_is_encoded, start),
        cmocka_unit_test_setup(test_describe, start),
        cmocka_unit_test_setup(test_every_allocation_failing, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
