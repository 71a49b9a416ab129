/* The memory map builder against a model that keeps one kind for every byte of a small address space. */
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

#include <base/align.h>
#include <base/layout.h>
#include <boot/memory_map.h>
#include <boot/report.h>

#include "support/boot_notes.h"

#define SPACE   (8u * 4096)
#define HOLE    0xffu
#define SCATTER 120000u

static uint8_t model[SPACE];
static struct boot_info info;
static struct memory_map map;

static void start(unsigned capacity)
{
    boot_notes_start();
    memset(model, HOLE, sizeof(model));
    memset(&info, 0, sizeof(info));
    memory_map_start(&map, info.memory, capacity);
}

static void add(uint64_t base, uint64_t length, enum memory_kind kind)
{
    memory_map_add(&map, base, length, kind);
    for (uint64_t i = base; i < base + length && i < SPACE; i++)
        if (model[i] == HOLE || model[i] < kind)
            model[i] = (uint8_t)kind;
}

static void finish(void)
{
    info.nr_memory = memory_map_finish(&map);
}

/* Usable pages that are not usable from end to end are holes where they are usable. */
static void round_model(void)
{
    for (unsigned page = 0; page < SPACE; page += PAGE_SIZE) {
        bool is_usable = true;

        for (unsigned i = 0; i < PAGE_SIZE; i++)
            is_usable = is_usable && model[page + i] == MEMORY_USABLE;
        for (unsigned i = 0; i < PAGE_SIZE; i++)
            if (!is_usable && model[page + i] == MEMORY_USABLE)
                model[page + i] = HOLE;
    }
}

static void require_invariants(void)
{
    for (unsigned i = 0; i < info.nr_memory; i++) {
        const struct memory_range *range = &info.memory[i];

        assert_true(range->length_bytes > 0);
        assert_true(range->base.value + range->length_bytes <= MEMORY_MAP_LIMIT);
        if (range->kind == MEMORY_USABLE)
            assert_true(is_aligned(range->base.value, PAGE_SIZE) && is_aligned(range->length_bytes, PAGE_SIZE));
        if (i > 0) {
            uint64_t end = range[-1].base.value + range[-1].length_bytes;

            assert_true(end <= range->base.value);
            assert_false(end == range->base.value && range[-1].kind == range->kind);
        }
    }
}

static unsigned kind_at(uint64_t address)
{
    const struct memory_range *range = memory_map_find(&info, paddr(address));

    return range ? range->kind : HOLE;
}

static void require_model(void)
{
    round_model();
    for (unsigned i = 0; i < SPACE; i++)
        assert_int_equal(kind_at(i), model[i]);
}

static void require_range(unsigned index, uint64_t base, uint64_t length, enum memory_kind kind)
{
    assert_true(index < info.nr_memory);
    assert_int_equal(info.memory[index].base.value, base);
    assert_int_equal(info.memory[index].length_bytes, length);
    assert_int_equal(info.memory[index].kind, kind);
}

static void sorts_and_merges_neighbours(void **state)
{
    start(BOOT_MEMORY_MAX);
    add(0x3000, 0x1000, MEMORY_USABLE);
    add(0x1000, 0x1000, MEMORY_USABLE);
    add(0x2000, 0x1000, MEMORY_USABLE);
    add(0x4000, 0x1000, MEMORY_RESERVED);
    finish();
    assert_int_equal(info.nr_memory, 2);
    require_range(0, 0x1000, 0x3000, MEMORY_USABLE);
    require_range(1, 0x4000, 0x1000, MEMORY_RESERVED);
}

static void higher_kind_wins_in_any_order(void **state)
{
    for (int order = 0; order < 2; order++) {
        start(BOOT_MEMORY_MAX);
        if (order == 0)
            add(0x2000, 0x1000, MEMORY_ACPI_NVS);
        add(0x1000, 0x5000, MEMORY_USABLE);
        if (order == 1)
            add(0x2000, 0x1000, MEMORY_ACPI_NVS);
        finish();
        assert_int_equal(info.nr_memory, 3);
        require_range(0, 0x1000, 0x1000, MEMORY_USABLE);
        require_range(1, 0x2000, 0x1000, MEMORY_ACPI_NVS);
        require_range(2, 0x3000, 0x3000, MEMORY_USABLE);
    }
}

static void usable_rounds_inwards_after_merging(void **state)
{
    start(BOOT_MEMORY_MAX);
    add(0x1001, 0x17ff, MEMORY_USABLE); /* to 0x2800 */
    add(0x2800, 0x1fff, MEMORY_USABLE); /* to 0x47ff */
    add(0x5100, 0x800, MEMORY_USABLE);  /* no whole page */
    add(0x6100, 0x10, MEMORY_RESERVED);
    finish();
    assert_int_equal(info.nr_memory, 2);
    require_range(0, 0x2000, 0x2000, MEMORY_USABLE);
    require_range(1, 0x6100, 0x10, MEMORY_RESERVED);
}

static void lengths_that_overflow_are_cut_and_said(void **state)
{
    start(BOOT_MEMORY_MAX);
    memory_map_add(&map, MEMORY_MAP_LIMIT - 0x1000, UINT64_MAX, MEMORY_RESERVED);
    memory_map_add(&map, UINT64_MAX, UINT64_MAX, MEMORY_BAD);
    memory_map_add(&map, PHYSMAP_SIZE - 0x2000, 0x4000, MEMORY_USABLE);
    memory_map_add(&map, 0, 0, MEMORY_USABLE);
    finish();
    require_invariants();
    assert_int_equal(info.nr_memory, 2);
    require_range(0, PHYSMAP_SIZE - 0x2000, 0x2000, MEMORY_USABLE);
    require_range(1, MEMORY_MAP_LIMIT - 0x1000, 0x1000, MEMORY_RESERVED);
    assert_int_equal(boot_notes_count(), 3);
}

static void holes_stay_holes(void **state)
{
    start(BOOT_MEMORY_MAX);
    memory_map_add(&map, 0, GIB(3), MEMORY_USABLE);
    memory_map_add(&map, GIB(4), GIB(4), MEMORY_USABLE);
    finish();
    assert_int_equal(info.nr_memory, 2);
    assert_int_equal(kind_at(GIB(3)), HOLE);
    assert_int_equal(kind_at(GIB(4) - 1), HOLE);
    assert_int_equal(memory_map_usable_bytes(&info), GIB(7));
    assert_true(memory_map_is_usable(&info, paddr(GIB(4)), GIB(4)));
    assert_false(memory_map_is_usable(&info, paddr(GIB(2)), GIB(2)));
    assert_false(memory_map_is_usable(&info, paddr(GIB(2)), UINT64_MAX));
    assert_true(memory_map_touches_usable(&info, paddr(GIB(3)), GIB(2)));
    assert_false(memory_map_touches_usable(&info, paddr(GIB(3)), GIB(1)));
    assert_false(memory_map_touches_usable(&info, paddr(GIB(9)), GIB(1)));
}

static void add_random(unsigned nr, unsigned step)
{
    for (unsigned i = 0; i < nr; i++) {
        unsigned base = (unsigned)rand() % (SPACE / step) * step, length = (unsigned)rand() % (SPACE / step / 2) * step;

        add(base, base + length > SPACE ? SPACE - base : length, (enum memory_kind)(rand() % 5));
    }
}

static void random_maps_equal_the_model(void **state)
{
    static const unsigned steps[] = {1, 256, 2048, 4096};

    srand(1);
    for (unsigned round = 0; round < 1000; round++) {
        start(BOOT_MEMORY_MAX);
        add_random((unsigned)rand() % 40, steps[round % 4]);
        finish();
        require_invariants();
        require_model();
    }
}

/* With too little room memory is lost, never invented. */
static void full_maps_never_invent_memory(void **state)
{
    srand(2);
    for (unsigned round = 0; round < 1000; round++) {
        start(MEMORY_MAP_CAPACITY_MIN + round % 9);
        add_random((unsigned)rand() % 40, 1u << (round % 13));
        finish();
        require_invariants();
        assert_true(info.nr_memory <= map.capacity);
        round_model();
        for (unsigned i = 0; i < SPACE; i++) {
            if (kind_at(i) == MEMORY_USABLE)
                assert_int_equal(model[i], MEMORY_USABLE);
            else if (model[i] != HOLE && model[i] != MEMORY_USABLE)
                assert_true(kind_at(i) != HOLE && kind_at(i) >= model[i]);
        }
    }
}

static void smallest_usable_ranges_give_way(void **state)
{
    start(BOOT_MEMORY_MAX);
    for (unsigned i = 0; i < 2 * BOOT_MEMORY_MAX; i++)
        memory_map_add(&map, MIB(16) * i, i % 2 ? KIB(4) : MIB(8), MEMORY_USABLE);
    memory_map_add(&map, GIB(1024), GIB(64), MEMORY_USABLE);
    finish();
    require_invariants();
    assert_true(memory_map_is_usable(&info, paddr(GIB(1024)), GIB(64)));
    assert_true(boot_notes_have("more than 256 ranges"));
    assert_true(memory_map_usable_bytes(&info) >= GIB(64) + MIB(8) * (BOOT_MEMORY_MAX / 2));
}

static void scattered_hundred_thousand(void **state)
{
    srand(3);
    start(BOOT_MEMORY_MAX);
    for (unsigned i = 0; i < SCATTER; i++)
        memory_map_add(&map, (uint64_t)rand() << (rand() % 24), (uint64_t)rand() << (rand() % 16),
                       (enum memory_kind)(rand() % 5));
    finish();
    require_invariants();
    assert_true(info.nr_memory <= BOOT_MEMORY_MAX);
}

static void unknown_types_are_reserved(void **state)
{
    static const uint32_t types[] = {0, 2, 6, 7, 12, 20, 0x80000001, UINT32_MAX};

    for (unsigned i = 0; i < ARRAY_SIZE(types); i++)
        assert_int_equal(memory_kind_of(types[i]), MEMORY_RESERVED);
    assert_int_equal(memory_kind_of(1), MEMORY_USABLE);
    assert_int_equal(memory_kind_of(3), MEMORY_ACPI_RECLAIMABLE);
    assert_int_equal(memory_kind_of(4), MEMORY_ACPI_NVS);
    assert_int_equal(memory_kind_of(5), MEMORY_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorts_and_merges_neighbours),
        cmocka_unit_test(higher_kind_wins_in_any_order),
        cmocka_unit_test(usable_rounds_inwards_after_merging),
        cmocka_unit_test(lengths_that_overflow_are_cut_and_said),
        cmocka_unit_test(holes_stay_holes),
        cmocka_unit_test(random_maps_equal_the_model),
        cmocka_unit_test(full_maps_never_invent_memory),
        cmocka_unit_test(smallest_usable_ranges_give_way),
        cmocka_unit_test(scattered_hundred_thousand),
        cmocka_unit_test(unknown_types_are_reserved),
    };

    return cmocka_run_group_tests_name("memory_map", tests, NULL, NULL);
}
