/* The boot allocator: every page it hands out was usable, is handed out once, and is none of the reserved ones. */
#include "support/random.h"
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

#include <base/align.h>
#include <base/errno.h>

#include "../../mm/boot_alloc.h"

#define NO_LIMIT pfn(UINT64_MAX)

static struct boot_allocator allocator;

static struct memory_range usable(uint64_t base, uint64_t length)
{
    return (struct memory_range){paddr(base), length, MEMORY_USABLE};
}

static void test_small_machine(void **state)
{
    (void)state;
    const struct memory_range map[] = {
        usable(0, 0x9f000),
        {paddr(0x9f000), 0x61000, MEMORY_RESERVED},
        usable(MIB(1), MIB(15)),
    };
    pfn_t first;

    boot_alloc_init(&allocator, map, 3, NO_LIMIT);
    assert_int_equal(boot_alloc_nr_free(&allocator), 0x9f + MIB(15) / PAGE_SIZE);
    boot_alloc_reserve(&allocator, paddr(0), 1);
    boot_alloc_reserve(&allocator, paddr(MIB(2)), MIB(1) + 1); /* rounded outwards */
    assert_int_equal(boot_alloc_nr_free(&allocator), 0x9e + MIB(14) / PAGE_SIZE - 1);

    assert_int_equal(boot_alloc(&allocator, 1, 1, NO_LIMIT, &first), 0);
    assert_int_equal(first.number, MIB(16) / PAGE_SIZE - 1);
    assert_int_equal(boot_alloc(&allocator, 512, 512, NO_LIMIT, &first), 0);
    assert_int_equal(first.number, MIB(12) / PAGE_SIZE);
    assert_int_equal(boot_alloc(&allocator, 1, 1, pfn(MIB(1) / PAGE_SIZE), &first), 0);
    assert_int_equal(first.number, 0x9e);
    assert_int_equal(boot_alloc(&allocator, MIB(12) / PAGE_SIZE, 1, NO_LIMIT, &first), -ENOMEM);
    assert_int_equal(allocator.nr_lost, 0);
}

static void test_limits_and_nonsense(void **state)
{
    (void)state;
    const struct memory_range map[] = {usable(MIB(1), MIB(1)), usable(GIB(8), GIB(1))};
    pfn_t first = pfn(7);

    boot_alloc_init(&allocator, map, 2, pfn(GIB(8) / PAGE_SIZE + 10)); /* a CPU with few address bits */
    assert_int_equal(boot_alloc_nr_free(&allocator), 256 + 10);
    boot_alloc_reserve(&allocator, paddr(UINT64_MAX - 5), 100); /* past the end */
    boot_alloc_reserve(&allocator, paddr(GIB(1)), 0);
    assert_int_equal(boot_alloc_nr_free(&allocator), 256 + 10);
    boot_alloc_reserve(&allocator, paddr(GIB(4)), UINT64_MAX);
    assert_int_equal(boot_alloc_nr_free(&allocator), 256);
    assert_int_equal(boot_alloc(&allocator, 257, 1, NO_LIMIT, &first), -ENOMEM);
    assert_int_equal(first.number, 7);
    assert_int_equal(boot_alloc(&allocator, 256, 1, NO_LIMIT, &first), 0);
    assert_int_equal(boot_alloc_nr_free(&allocator), 0);
    assert_int_equal(boot_alloc(&allocator, 1, 1, NO_LIMIT, &first), -ENOMEM);
    boot_alloc_init(&allocator, NULL, 0, NO_LIMIT);
    assert_int_equal(boot_alloc(&allocator, 1, 1, NO_LIMIT, &first), -ENOMEM);
}

/* A map as full as boot_info allows, every reservation in the middle of a range. */
static void test_full_table(void **state)
{
    (void)state;
    static struct memory_range map[BOOT_MEMORY_MAX];
    pfn_t first;

    for (unsigned i = 0; i < BOOT_MEMORY_MAX; i++)
        map[i] = usable(MIB(2 * i), MIB(1));
    boot_alloc_init(&allocator, map, BOOT_MEMORY_MAX, NO_LIMIT);
    for (unsigned i = 0; i < BOOT_RESERVED_MAX; i++)
        boot_alloc_reserve(&allocator, paddr(MIB(2 * i) + KIB(512)), PAGE_SIZE);
    assert_int_equal(allocator.nr_lost, 0);
    assert_int_equal(boot_alloc_nr_free(&allocator), BOOT_MEMORY_MAX * 256 - BOOT_RESERVED_MAX);
    uint64_t free_before = boot_alloc_nr_free(&allocator);
    for (unsigned i = 0; i < 200; i++)
        assert_int_equal(boot_alloc(&allocator, 1, 4, NO_LIMIT, &first), 0);
    assert_true(allocator.nr_lost > 0); /* the documented loss */
    assert_int_equal(boot_alloc_nr_free(&allocator) + allocator.nr_lost, free_before - 200);
}

#define FRAMES 4096

/* Against a byte for each frame. */
static void random_round(uint64_t *seed)
{
    static uint8_t is_free[FRAMES];
    struct memory_range map[16];
    unsigned nr = 0;
    uint64_t at = 0;

    memset(is_free, 0, sizeof(is_free));
    while (nr < 16) {
        uint64_t skip = random_below(seed, 100), length = 1 + random_below(seed, 300);
        if (at + skip + length > FRAMES)
            break;
        at += skip;
        map[nr] = usable(at * PAGE_SIZE, length * PAGE_SIZE);
        if (random_below(seed, 4) == 0)
            map[nr].kind = MEMORY_RESERVED;
        else
            memset(is_free + at, 1, length);
        nr++;
        at += length;
    }
    boot_alloc_init(&allocator, map, nr, NO_LIMIT);
    for (unsigned i = random_below(seed, BOOT_RESERVED_MAX); i > 0; i--) {
        uint64_t base = random_below(seed, FRAMES * PAGE_SIZE), length = 1 + random_below(seed, 20 * PAGE_SIZE);
        boot_alloc_reserve(&allocator, paddr(base), length);
        for (uint64_t frame = base / PAGE_SIZE; frame <= (base + length - 1) / PAGE_SIZE && frame < FRAMES; frame++)
            is_free[frame] = 0;
    }
    for (;;) {
        uint64_t pages = 1 + random_below(seed, 8), alignment = 1ull << random_below(seed, 4);
        pfn_t limit = pfn(FRAMES / 2 + random_below(seed, FRAMES)), first;
        if (boot_alloc(&allocator, pages, alignment, limit, &first) != 0)
            break;
        assert_true(is_aligned(first.number, alignment));
        assert_true(first.number + pages <= limit.number);
        for (uint64_t i = 0; i < pages; i++) {
            assert_int_equal(is_free[first.number + i], 1);
            is_free[first.number + i] = 0;
        }
    }
    uint64_t left = 0;
    for (unsigned i = 0; i < FRAMES; i++)
        left += is_free[i];
    assert_int_equal(boot_alloc_nr_free(&allocator) + allocator.nr_lost, left);
}

static void test_random(void **state)
{
    (void)state;
    for (uint64_t round = 1; round <= 2000; round++) {
        uint64_t seed = round * 0x9e3779b97f4a7c15ull;
        random_round(&seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_machine),
        cmocka_unit_test(test_limits_and_nonsense),
        cmocka_unit_test(test_full_table),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
