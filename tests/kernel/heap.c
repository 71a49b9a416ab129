/* The heap in the kernel: contract, exhaustion, churn. What a check that fails says is tested on the host
 * (tests/unit/test_slab.c) and by provoked faults. The runner compares pages and objects before and after each test. */
#include <base/align.h>
#include <base/errno.h>
#include <debug/test.h>
#include <lib/string.h>
#include <mm/audit.h>
#include <mm/heap_design.h>
#include <mm/heap_report.h>
#include <mm/kmalloc.h>
#include <mm/page_alloc.h>
#include <mm/slab.h>
#include <mm/vmalloc.h>

static uint64_t random_state = 0x2545f4914f6cdd1d;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static bool is_filled(const uint8_t *object, size_t size, uint8_t byte)
{
    for (size_t i = 0; i < size; i++) {
        if (object[i] != byte)
            return false;
    }
    return true;
}

/* Every size up to three pages: aligned, cleared, and all of it usable. */
static void check_contract(const struct heap_design *design)
{
    for (size_t size = 1; size <= 3 * PAGE_SIZE; size++) {
        size_t alignment = is_power_of_two(size) && size > 16 ? size : 16;
        uint8_t *object = design->alloc(size, ALLOC_ZERO);

        EXPECT(object != NULL);
        if (alignment > PAGE_SIZE)
            alignment = PAGE_SIZE;
        EXPECT_EQ((uintptr_t)object % alignment, 0);
        EXPECT(is_filled(object, size, 0));
        memset(object, 0xff, size);
        design->free(object);
    }
}

KERNEL_TEST(heap_contract, "heap/every_size_is_aligned_cleared_and_usable")
{
    check_contract(&heap_design_slab);
}

KERNEL_TEST(heap_tlsf_contract, "heap/second_design_keeps_the_contract")
{
    uint64_t before = heap_design_tlsf.pages(); /* large allocations are either design's */

    check_contract(&heap_design_tlsf);
    heap_design_tlsf.settle();
    EXPECT_EQ(heap_design_tlsf.pages(), before);
}

KERNEL_TEST(heap_limits, "heap/limits")
{
    uint8_t *object;

    EXPECT(kmalloc(0, ALLOC_NORMAL) == NULL);
    EXPECT(kmalloc(KMALLOC_MAX + 1, ALLOC_NORMAL) == NULL);
    EXPECT(kmalloc(SIZE_MAX, ALLOC_NORMAL) == NULL);
    object = kmalloc(KMALLOC_MAX, ALLOC_ZERO);
    EXPECT(object != NULL);
    object[0] = object[KMALLOC_MAX - 1] = 1;
    kfree(object);
    kfree(NULL);
}

KERNEL_TEST(heap_dma32, "heap/dma32_lies_below_4_gib")
{
    static const size_t sizes[] = {1, 48, 100, 1000, 4096, 5000, 100000};

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        void *object = kmalloc(sizes[i], ALLOC_DMA32);

        EXPECT(object != NULL);
        EXPECT(physmap_to_phys(object).value + sizes[i] <= GIB(4));
        kfree(object);
    }
}

/* Takes objects until there are none, linked through themselves, and frees them. Returns how many there were. */
static uint64_t exhaust(const struct heap_design *design, size_t size)
{
    void **chain = NULL, **object;
    uint64_t count = 0;

    while ((object = design->alloc(size, ALLOC_NORMAL))) {
        *object = chain;
        chain = object;
        count++;
    }
    while (chain) {
        object = chain;
        chain = *object;
        design->free(object);
    }
    design->settle();
    return count;
}

/* All memory as objects of one size, then of another: NULL at the end, and afterwards everything is there again. */
static void check_exhaustion(const struct heap_design *design)
{
    static const size_t sizes[] = {4000, 96, 4096, 70000, 4000};
    uint64_t counts[ARRAY_SIZE(sizes)];

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct page_counts before;

        slab_reap();
        before = page_counts();
        counts[i] = exhaust(design, sizes[i]);
        EXPECT(counts[i] * sizes[i] > before.free * PAGE_SIZE / 4);
        slab_reap();
        EXPECT_EQ(page_counts().free, before.free);
    }
    EXPECT_EQ(counts[0], counts[ARRAY_SIZE(sizes) - 1]);
}

KERNEL_TEST(heap_exhaustion, "heap/all_memory_can_be_had_and_comes_back")
{
    check_exhaustion(&heap_design_slab);
}

KERNEL_TEST(heap_tlsf_exhaustion, "heap/second_design_all_memory_comes_back")
{
    check_exhaustion(&heap_design_tlsf);
}

#define SLOTS 256

static struct {
    uint8_t *object;
    size_t size;
    uint8_t byte;
    bool is_vmalloc;
} slots[SLOTS];

static bool give_back(size_t slot)
{
    uint8_t *object = slots[slot].object;
    size_t size = slots[slot].size, edge = size < 64 ? size : 64;
    bool is_intact =
        is_filled(object, edge, slots[slot].byte) && is_filled(object + size - edge, edge, slots[slot].byte);

    if (slots[slot].is_vmalloc)
        vfree(object);
    else
        kfree(object);
    slots[slot].object = NULL;
    return is_intact;
}

/* Sizes of every magnitude alike. Returns the bytes taken. */
static uint64_t take(size_t slot)
{
    size_t size = next_random() >> (64 - log2_floor(KMALLOC_MAX)) >> next_random() % 20, edge;
    bool is_vmalloc = size > PAGE_SIZE && next_random() % 8 == 0;
    uint8_t *object;

    size = size ? size : 1;
    object = is_vmalloc ? vmalloc(size, ALLOC_NORMAL) : kmalloc(size, ALLOC_NORMAL);
    if (!object)
        return 0;
    slots[slot].object = object;
    slots[slot].size = size;
    slots[slot].byte = (uint8_t)next_random();
    slots[slot].is_vmalloc = is_vmalloc;
    edge = size < 64 ? size : 64;
    memset(object, slots[slot].byte, edge);
    memset(object + size - edge, slots[slot].byte, edge);
    return size;
}

KERNEL_TEST(heap_churn, "heap/churn_of_100_times_memory")
{
    uint64_t wanted = 100 * page_counts().total * PAGE_SIZE, bytes = 0, broken = 0;

    while (bytes < wanted) {
        size_t slot = next_random() % SLOTS;

        if (slots[slot].object)
            broken += !give_back(slot);
        bytes += take(slot);
    }
    for (size_t slot = 0; slot < SLOTS; slot++) {
        if (slots[slot].object)
            broken += !give_back(slot);
    }
    EXPECT_EQ(broken, 0);
}

KERNEL_TEST(heap_cache, "heap/named_cache")
{
    struct slab_cache *cache = slab_cache_create("test", 300, 128, 0);
    void *objects[100];

    EXPECT(cache != NULL);
    for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
        objects[i] = slab_alloc(cache, ALLOC_ZERO);
        EXPECT(objects[i] != NULL);
        EXPECT_EQ((uintptr_t)objects[i] % 128, 0);
        EXPECT(is_filled(objects[i], 300, 0));
    }
    EXPECT_EQ(slab_cache_destroy(cache), -EBUSY);
    for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
        slab_free(cache, objects[i]);
    EXPECT_EQ(slab_cache_destroy(cache), 0);
}

KERNEL_TEST(heap_describe, "heap/addresses_are_described")
{
    char text[200], *object = kmalloc(40, ALLOC_NORMAL);

    EXPECT(object != NULL);
    EXPECT(heap_describe(object + 12, text, sizeof(text)));
    EXPECT(strstr(text, "+12 (in use, 40 bytes, allocated at test_heap_describe+0x") != NULL);
    kfree(object);
    EXPECT(heap_describe(object + 12, text, sizeof(text)));
    EXPECT(strstr(text, "+12 (free, allocated at test_heap_describe+0x") != NULL);
    EXPECT(strstr(text, ", freed at test_heap_describe+0x") != NULL);
}

static struct audit_report report;

NO_KASAN KERNEL_TEST(heap_audit_can_fail, "heap/audit_finds_a_write_after_free")
{
    uint8_t *object = kmalloc(200, ALLOC_NORMAL);
    int found;

    EXPECT(object != NULL);
    kfree(object);
    object[17] ^= 1;
    found = audit_run(&report);
    object[17] ^= 1;
    EXPECT_EQ(found, -EBADMSG);
    EXPECT(strstr(report.text[0], HEAP_USE_AFTER_FREE_WRITE) != NULL);
    EXPECT_EQ(audit_run(&report), 0);
}

KERNEL_TEST(heap_scrub, "heap/scrubber_finds_nothing")
{
    for (unsigned i = 0; i < 10000; i++)
        slab_scrub();
}
