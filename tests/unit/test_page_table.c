/* Page tables as data: every size of page, splitting, errors that change nothing, and random work against a model. */
#include "support/host_memory.h"
#include "support/host_tables.h"
#include "support/random.h"
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

#include <base/align.h>
#include <base/errno.h>
#include <mm/page_alloc.h>

#include "../../mm/page_table.h"

#define FRAMES 2048ull
#define BASE   0xffffc00000000000ull

static struct page_tables tables;

/* What paging.c does once the TLB is flushed. Returns how many tables went. */
static unsigned free_retired(void)
{
    struct page *page, *after;
    unsigned n = 0;

    list_for_each_entry_safe (page, after, &tables.retired, link) {
        assert_int_equal(page->owner, PAGE_PAGE_TABLE);
        assert_int_equal(page->references, 0);
        assert_int_equal(page_table_used(page_to_address(page)), 0);
        list_remove(&page->link);
        page->references = 1;
        page_free(page, 0);
        n++;
    }
    return n;
}

static void start(bool has_1g_pages)
{
    host_page_alloc_init(FRAMES);
    tables_left = UINT64_MAX;
    tables = (struct page_tables){
        .physical_bits = 40,
        .has_1g_pages = has_1g_pages,
        .has_global_pages = true,
        .has_write_combining = true,
        .table_alloc = table_alloc,
    };
    list_init(&tables.retired);
    assert_int_equal(table_alloc(&tables.root), 0);
}

static struct mapping look(uint64_t address)
{
    struct mapping mapping = {0};

    assert_int_equal(page_tables_lookup(tables.root, vaddr(address), &mapping), 0);
    return mapping;
}

static int look_error(uint64_t address)
{
    struct mapping mapping;

    return page_tables_lookup(tables.root, vaddr(address), &mapping);
}

/* Invariant 2: every table counts its entries, none below the third level of the kernel half is empty. */
static void check_table(struct page_table_visitor *visitor, unsigned level, vaddr_t base, paddr_t table,
                        unsigned nr_used)
{
    (void)visitor;
    assert_int_equal(page_of_pfn(paddr_to_pfn(table))->references, nr_used);
    assert_true(nr_used > 0 || level >= 3 || (level == 3 && vaddr_is_kernel(base)));
}

static void check_counts(void)
{
    struct page_table_visitor visitor = {.table = check_table};

    page_tables_walk(tables.root, &visitor);
}

static void test_sizes(void **state)
{
    (void)state;
    start(true);
    uint64_t physical = GIB(2) - MIB(2) - PAGE_SIZE, length = GIB(1) + 2 * (MIB(2) + PAGE_SIZE);
    uint64_t base = BASE + GIB(1) - MIB(2) - PAGE_SIZE;

    assert_int_equal(page_tables_map(&tables, vaddr(base), paddr(physical), length, MAP_WRITE), 0);
    assert_int_equal(look(base).page_size.bytes, PAGE_SIZE);
    assert_int_equal(look(base + PAGE_SIZE).page_size.bytes, MIB(2));
    assert_int_equal(look(BASE + GIB(1) + 12345).page_size.bytes, GIB(1));
    assert_int_equal(look(BASE + GIB(1) + 12345).physical.value, GIB(2));
    assert_int_equal(look(BASE + GIB(1) + 12345).base.value, BASE + GIB(1));
    assert_int_equal(look(base + length - 1).page_size.bytes, PAGE_SIZE);
    assert_int_equal(look(base + length - 1).physical.value, physical + length - PAGE_SIZE);
    assert_int_equal(look_error(base - 1), -ENOENT);
    assert_int_equal(look_error(base + length), -ENOENT);
    check_counts();
    assert_int_equal(page_tables_unmap(&tables, vaddr(base), length), 0);
    assert_int_equal(free_retired(), 4); /* two each of levels 1 and 2; level 3 of the kernel half stays */
    check_counts();

    start(false);
    assert_int_equal(page_tables_map(&tables, vaddr(base), paddr(physical), length, 0), 0);
    assert_int_equal(look(BASE + GIB(1) + 12345).page_size.bytes, MIB(2));
}

static void test_flags(void **state)
{
    (void)state;
    start(true);
    static const unsigned good[] = {
        MAP_READ,
        MAP_WRITE,
        MAP_EXECUTE,
        MAP_WRITE | MAP_GLOBAL,
        MAP_WRITE | MAP_UNCACHED,
        MAP_WRITE | MAP_WRITE_COMBINE,
    };

    for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
        uint64_t at = BASE + i * PAGE_SIZE;
        assert_int_equal(page_tables_map(&tables, vaddr(at), paddr(0x5000), PAGE_SIZE, good[i]), 0);
        assert_int_equal(look(at).flags, good[i]);
    }
    assert_int_equal(page_tables_map(&tables, vaddr(0x400000), paddr(0x5000), PAGE_SIZE, MAP_USER | MAP_EXECUTE), 0);
    assert_int_equal(look(0x400000).flags, MAP_USER | MAP_EXECUTE);

    struct page_table_step steps[PAGE_TABLE_LEVELS]; /* F22: what leads there allows everything */
    assert_int_equal(page_tables_path(tables.root, vaddr(0x400000), steps), 4);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(steps[i].entry & ~PTE_ADDRESS, PTE_PRESENT | PTE_WRITE | PTE_USER);
    assert_int_equal(page_tables_path(tables.root, vaddr(BASE), steps), 4);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(steps[i].entry & ~PTE_ADDRESS, PTE_PRESENT | PTE_WRITE);

    tables.has_write_combining = false; /* falls back to uncached */
    assert_int_equal(page_tables_map(&tables, vaddr(BASE + MIB(2)), paddr(0), PAGE_SIZE, MAP_WRITE_COMBINE), 0);
    assert_int_equal(look(BASE + MIB(2)).flags, MAP_UNCACHED);
}

static void test_refused(void **state)
{
    (void)state;
    start(true);
    uint64_t before = page_counts().free;
    const struct {
        uint64_t virtual, physical, length;
        unsigned flags;
    } bad[] = {
        {BASE, 0, PAGE_SIZE, MAP_WRITE | MAP_EXECUTE},
        {BASE, 0, PAGE_SIZE, MAP_UNCACHED | MAP_WRITE_COMBINE},
        {BASE, 0, PAGE_SIZE, MAP_USER},
        {BASE, 0, PAGE_SIZE, 1u << 20},
        {BASE, 0, 0, 0},
        {BASE, 0, PAGE_SIZE + 1, 0},
        {BASE + 1, 0, PAGE_SIZE, 0},
        {BASE, 1, PAGE_SIZE, 0},
        {0x0000800000000000, 0, PAGE_SIZE, 0},     /* not canonical */
        {0x00007ffffffff000, 0, 2 * PAGE_SIZE, 0}, /* runs out of the canonical half */
        {0xfffffffffffff000, 0, 2 * PAGE_SIZE, 0}, /* wraps */
        {0x1000, 0, 0xfffffffffffff000, 0},        /* both halves */
        {BASE, 1ull << 40, PAGE_SIZE, 0},          /* no such physical address */
        {BASE, (1ull << 40) - PAGE_SIZE, 2 * PAGE_SIZE, 0},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(
            page_tables_map(&tables, vaddr(bad[i].virtual), paddr(bad[i].physical), bad[i].length, bad[i].flags),
            -EINVAL);
    assert_int_equal(page_tables_unmap(&tables, vaddr(BASE), 0), -EINVAL);
    assert_int_equal(page_tables_protect(&tables, vaddr(BASE), PAGE_SIZE, MAP_WRITE | MAP_EXECUTE), -EINVAL);
    assert_int_equal(page_tables_set_mark(&tables, vaddr(BASE + 1), PTE_SOFT_GUARD), -EINVAL);
    assert_int_equal(look_error(0x0000800000000000), -EINVAL);
    assert_int_equal(page_counts().free, before);

    /* The very last page can be had, and given back. */
    assert_int_equal(page_tables_map(&tables, vaddr(0xfffffffffffff000), paddr(0), PAGE_SIZE, 0), 0);
    assert_int_equal(page_tables_unmap(&tables, vaddr(0xfffffffffffff000), PAGE_SIZE), 0);
    assert_int_equal(look_error(0xfffffffffffff000), -ENOENT);
}

static void test_exists_changes_nothing(void **state)
{
    (void)state;
    start(true);
    assert_int_equal(page_tables_map(&tables, vaddr(BASE + MIB(4)), paddr(0x7000), PAGE_SIZE, MAP_WRITE), 0);
    uint64_t before = page_counts().free;

    assert_int_equal(page_tables_map(&tables, vaddr(BASE), paddr(0), MIB(6), 0), -EEXIST);
    free_retired();
    assert_int_equal(look_error(BASE), -ENOENT);
    assert_int_equal(look_error(BASE + MIB(2)), -ENOENT);
    assert_int_equal(look(BASE + MIB(4)).physical.value, 0x7000);
    assert_int_equal(page_counts().free, before);
    check_counts();

    assert_int_equal(page_tables_map(&tables, vaddr(BASE + MIB(2)), paddr(0), MIB(2), 0), 0);
    assert_int_equal(page_tables_map(&tables, vaddr(BASE + MIB(2) + PAGE_SIZE), paddr(0), PAGE_SIZE, 0), -EEXIST);
    assert_int_equal(page_tables_set_mark(&tables, vaddr(BASE + MIB(2)), PTE_SOFT_GUARD), -EEXIST);
    assert_int_equal(page_tables_set_mark(&tables, vaddr(BASE + MIB(4)), PTE_SOFT_GUARD), -EEXIST);
}

static void test_split(void **state)
{
    (void)state;
    start(true);
    assert_int_equal(page_tables_map(&tables, vaddr(BASE), paddr(GIB(1)), GIB(1), MAP_WRITE | MAP_GLOBAL), 0);
    assert_int_equal(page_tables_unmap(&tables, vaddr(BASE + MIB(10) + 3 * PAGE_SIZE), 2 * PAGE_SIZE), 0);
    check_counts();
    assert_int_equal(look(BASE).page_size.bytes, MIB(2));
    assert_int_equal(look(BASE + MIB(10)).page_size.bytes, PAGE_SIZE);
    assert_int_equal(look(BASE + MIB(10) + 2 * PAGE_SIZE).physical.value, GIB(1) + MIB(10) + 2 * PAGE_SIZE);
    assert_int_equal(look(BASE + MIB(10) + 5 * PAGE_SIZE).physical.value, GIB(1) + MIB(10) + 5 * PAGE_SIZE);
    assert_int_equal(look(BASE + MIB(10) + 5 * PAGE_SIZE).flags, MAP_WRITE | MAP_GLOBAL);
    assert_int_equal(look_error(BASE + MIB(10) + 3 * PAGE_SIZE), -ENOENT);
    assert_int_equal(look_error(BASE + MIB(10) + 4 * PAGE_SIZE), -ENOENT);
    assert_int_equal(look(BASE + MIB(12)).page_size.bytes, MIB(2));
    assert_int_equal(look(BASE + GIB(1) - 1).physical.value, GIB(2) - MIB(2));
    assert_int_equal(page_tables_unmap(&tables, vaddr(BASE), GIB(1)), 0); /* with the hole */
    assert_int_equal(free_retired(), 2);

    /* The range begins where nothing is mapped, as long as a large page but not aligned like one, and ends inside one.
     */
    assert_int_equal(page_tables_map(&tables, vaddr(BASE + MIB(2)), paddr(0), MIB(2), MAP_WRITE), 0);
    assert_int_equal(page_tables_unmap(&tables, vaddr(BASE + MIB(1)), MIB(2)), 0);
    assert_int_equal(look_error(BASE + MIB(3) - 1), -ENOENT);
    assert_int_equal(look(BASE + MIB(3)).physical.value, MIB(1));
    assert_int_equal(page_tables_unmap(&tables, vaddr(BASE), MIB(4)), 0);
    free_retired();

    /* Protection of a part. */
    assert_int_equal(page_tables_map(&tables, vaddr(BASE), paddr(0), MIB(4), MAP_WRITE), 0);
    assert_int_equal(page_tables_protect(&tables, vaddr(BASE + PAGE_SIZE), MIB(2), MAP_READ), 0);
    assert_int_equal(look(BASE).flags, MAP_WRITE);
    assert_int_equal(look(BASE + PAGE_SIZE).flags, MAP_READ);
    assert_int_equal(look(BASE + MIB(2)).flags, MAP_READ);
    assert_int_equal(look(BASE + MIB(2) + PAGE_SIZE).flags, MAP_WRITE);
    assert_int_equal(page_tables_protect(&tables, vaddr(BASE), MIB(6), MAP_EXECUTE), -ENOENT);
    assert_int_equal(look(BASE).flags, MAP_WRITE);
    check_counts();
}

static void test_guard(void **state)
{
    (void)state;
    start(true);
    assert_int_equal(page_tables_set_mark(&tables, vaddr(BASE), PTE_SOFT_GUARD), 0);
    assert_int_equal(look_error(BASE + 100), -EFAULT);
    assert_int_equal(look_error(BASE + PAGE_SIZE), -ENOENT);
    assert_int_equal(page_tables_map(&tables, vaddr(BASE), paddr(0), PAGE_SIZE, 0), -EEXIST);
    check_counts();
    assert_int_equal(page_tables_unmap(&tables, vaddr(BASE), PAGE_SIZE), 0);
    assert_int_equal(free_retired(), 2);
    assert_int_equal(look_error(BASE), -ENOENT);
}

/* Each allocation of a table fails in turn: -ENOMEM, nothing mapped, nothing kept. */
static void test_out_of_memory(void **state)
{
    (void)state;
    bool has_succeeded = false;

    for (uint64_t n = 0; !has_succeeded; n++) {
        start(false);
        uint64_t before = page_counts().free;
        tables_left = n;
        int error = page_tables_map(&tables, vaddr(0x40000000 - PAGE_SIZE), paddr(0), MIB(2) + 2 * PAGE_SIZE, MAP_USER);
        has_succeeded = error == 0;
        assert_true(has_succeeded ? n == 6 : error == -ENOMEM);
        if (!has_succeeded) {
            free_retired();
            assert_int_equal(page_counts().free, before);
            assert_int_equal(look_error(0x40000000 - PAGE_SIZE), -ENOENT);
        }
        check_counts();
    }
    /* Splitting: both halves of the work, or none. */
    for (uint64_t n = 0; n < 2; n++) {
        start(false);
        assert_int_equal(page_tables_map(&tables, vaddr(BASE), paddr(0), MIB(4), MAP_WRITE), 0);
        tables_left = n;
        assert_int_equal(page_tables_unmap(&tables, vaddr(BASE + PAGE_SIZE), MIB(2)), -ENOMEM);
        for (uint64_t at = 0; at < MIB(4); at += PAGE_SIZE)
            assert_int_equal(look(BASE + at).flags, MAP_WRITE);
        check_counts();
    }
}

/* A damaged entry must not lead a walk out of the tables. */
static void test_damaged_entry(void **state)
{
    (void)state;
    start(true);
    assert_int_equal(page_tables_map(&tables, vaddr(BASE), paddr(0), PAGE_SIZE, 0), 0);
    uint64_t *root = page_table_at(tables.root);
    static const uint64_t damaged[] = {0x000fffffffffe003, (FRAMES + 5) << PAGE_SHIFT | 3, 0x5003};

    for (unsigned i = 0; i < ARRAY_SIZE(damaged); i++) {
        root[page_table_index(vaddr(BASE), 4)] = damaged[i];
        assert_int_equal(look_error(BASE), -ENOENT);
        struct page_table_visitor visitor = {0};
        page_tables_walk(tables.root, &visitor);
    }
}

#define MODEL_PAGES 1536 /* 6 MiB */

static uint64_t model[MODEL_PAGES]; /* physical | flags, or 0 */

static bool model_is_empty(uint64_t first, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        if (model[first + i] != 0)
            return false;
    return true;
}

static bool model_is_full(uint64_t first, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        if (model[first + i] == 0)
            return false;
    return true;
}

static void random_step(uint64_t *seed)
{
    static const unsigned kinds[] = {MAP_READ, MAP_WRITE, MAP_EXECUTE};
    bool is_big = random_below(seed, 4) == 0;
    uint64_t first = is_big ? random_below(seed, 3) * 512 : random_below(seed, MODEL_PAGES);
    uint64_t n = is_big ? 512 : 1 + random_below(seed, 40);
    unsigned flags = kinds[random_below(seed, 3)];
    uint64_t physical = is_big ? random_below(seed, 8) * MIB(2) : (1 + random_below(seed, 4000)) * PAGE_SIZE;
    vaddr_t base = vaddr(BASE + first * PAGE_SIZE);

    if (first + n > MODEL_PAGES)
        n = MODEL_PAGES - first;
    switch (random_below(seed, 3)) {
    case 0:
        assert_int_equal(page_tables_map(&tables, base, paddr(physical), n * PAGE_SIZE, flags),
                         model_is_empty(first, n) ? 0 : -EEXIST);
        if (model_is_empty(first, n))
            for (uint64_t i = 0; i < n; i++)
                model[first + i] = (physical + i * PAGE_SIZE) | flags | 0x800;
        break;
    case 1:
        assert_int_equal(page_tables_unmap(&tables, base, n * PAGE_SIZE), 0);
        memset(&model[first], 0, n * sizeof(model[0]));
        break;
    default:
        assert_int_equal(page_tables_protect(&tables, base, n * PAGE_SIZE, flags),
                         model_is_full(first, n) ? 0 : -ENOENT);
        if (model_is_full(first, n))
            for (uint64_t i = 0; i < n; i++)
                model[first + i] = (model[first + i] & ~7ull) | flags;
    }
    free_retired();
}

static void check_model(void)
{
    for (uint64_t i = 0; i < MODEL_PAGES; i++) {
        uint64_t at = BASE + i * PAGE_SIZE;
        if (model[i] == 0) {
            assert_int_equal(look_error(at), -ENOENT);
            continue;
        }
        struct mapping mapping = look(at);
        assert_int_equal(mapping.physical.value + (at - mapping.base.value), model[i] & PTE_ADDRESS);
        assert_int_equal(mapping.flags, model[i] & 7);
    }
}

static void test_random(void **state)
{
    (void)state;
    uint64_t seed = 99;

    start(true);
    uint64_t before = page_counts().free;
    for (unsigned step = 0; step < 20000; step++) {
        random_step(&seed);
        if (step % 50 == 0) {
            check_model();
            check_counts();
        }
    }
    assert_int_equal(page_tables_unmap(&tables, vaddr(BASE), MODEL_PAGES * PAGE_SIZE), 0);
    free_retired();
    assert_int_equal(page_counts().free, before - 1); /* the third level stays */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),         cmocka_unit_test(test_flags),
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_exists_changes_nothing),
        cmocka_unit_test(test_split),         cmocka_unit_test(test_guard),
        cmocka_unit_test(test_out_of_memory), cmocka_unit_test(test_damaged_entry),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
