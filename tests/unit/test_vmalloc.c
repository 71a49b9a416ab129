/* The tree of vmalloc areas against a model, and vmalloc and device_map over page tables that are an array. */
#include "support/heap_host.h"
#include "support/host_memory.h"
#include "support/random.h"
#include "support/unit.h"

#include <string.h>

#include <base/align.h>
#include <base/errno.h>
#include <base/layout.h>
#include <mm/fail_inject.h>
#include <mm/kmalloc.h>
#include <mm/page_alloc.h>
#include <mm/paging.h>
#include <mm/slab.h>
#include <mm/stack.h>
#include <mm/vmalloc.h>

#include "../../mm/vm_area.h"
#include "../../mm/vmalloc_internal.h"

#define FRAMES      8192ull
#define MAPPED_MAX  65536u
#define NOTHING     0u
#define GUARD       1u
#define MAPPED(pte) ((pte) > GUARD)

/* The page table: physical address | 2, by page from VMALLOC_BASE on. */
static uint64_t table[MAPPED_MAX];
static uint64_t maps_until_failure; /* 0: never */

static uint64_t *entry(uint64_t address)
{
    assert_in_range((address - VMALLOC_BASE) / PAGE_SIZE, 0, MAPPED_MAX - 1);
    return &table[(address - VMALLOC_BASE) / PAGE_SIZE];
}

int paging_map(vaddr_t base, paddr_t physical, uint64_t length, unsigned flags)
{
    assert_true(is_aligned(base.value | physical.value | length, PAGE_SIZE) && length);
    if (maps_until_failure && --maps_until_failure == 0)
        return -ENOMEM;
    for (uint64_t i = 0; i < length; i += PAGE_SIZE) {
        assert_int_equal(*entry(base.value + i), NOTHING);
        *entry(base.value + i) = (physical.value + i) | 2;
    }
    return 0;
}

int paging_unmap(vaddr_t base, uint64_t length)
{
    for (uint64_t i = 0; i < length; i += PAGE_SIZE)
        *entry(base.value + i) = NOTHING;
    return 0;
}

int paging_set_guard(vaddr_t page)
{
    *entry(page.value) = GUARD;
    return 0;
}

static int start(void **state)
{
    heap_host_init(FRAMES);
    memset(table, 0, sizeof(table));
    maps_until_failure = 0;
    memset(vm_pages_held, 0, sizeof(vm_pages_held));
    assert_int_equal(vm_area_init(), 0);
    return 0;
}

static unsigned violations(void)
{
    static struct audit_report report;

    memset(&report, 0, sizeof(report));
    spinlock_lock(&vm_area_lock);
    vm_area_audit_locked(&report);
    spinlock_unlock(&vm_area_lock);
    return report.nr_violations;
}

/* Where first fit must put it: the reference that is slow and plain. */
static uint64_t expected_base(struct vm_area *const *live, unsigned count, uint64_t size)
{
    uint64_t at = VMALLOC_BASE + PAGE_SIZE;

    for (bool moved = true; moved;) {
        moved = false;
        for (unsigned i = 0; i < count; i++) {
            if (live[i]->start < at + size + 2 * PAGE_SIZE && at < live[i]->end) {
                at = live[i]->end;
                moved = true;
            }
        }
    }
    return at + PAGE_SIZE;
}

#define LIVE_MAX 150

/* Returns what is wrong in words, or NULL. plant: a gap is falsified at this step. */
static const char *run(uint64_t seed, unsigned steps, unsigned plant)
{
    struct vm_area *live[LIVE_MAX];
    unsigned count = 0;
    const char *wrong = NULL;

    for (unsigned step = 0; step < steps && !wrong; step++) {
        if (count < LIVE_MAX && (count == 0 || random_below(&seed, 2))) {
            uint64_t size = PAGE_SIZE * (1 + random_below(&seed, random_below(&seed, 4) ? 4 : 300));
            bool is_plain = random_below(&seed, 4) != 0;
            uint64_t alignment = is_plain ? PAGE_SIZE : PAGE_SIZE << random_below(&seed, 5);
            uint64_t phase = PAGE_SIZE * random_below(&seed, alignment / PAGE_SIZE);
            uint64_t expected = expected_base(live, count, size);
            struct vm_area *area = vm_area_alloc(size, alignment, phase, VM_AREA_PAGES, NULL);

            if (!area)
                return "no address space";
            if (area->base % alignment != phase)
                wrong = "alignment";
            if (is_plain && area->base != expected)
                wrong = "not the lowest place";
            live[count++] = area;
        } else {
            unsigned i = (unsigned)random_below(&seed, count);

            if (vm_area_find(live[i]->base) != live[i] || vm_area_of_address(live[i]->base + 5) != live[i])
                wrong = "not found by address";
            vm_area_free(live[i]);
            live[i] = live[--count];
        }
        if (step == plant && count)
            live[count / 2]->gap_before += PAGE_SIZE;
        if (violations())
            wrong = "audit";
    }
    while (count)
        vm_area_free(live[--count]);
    return wrong;
}

static void test_area_property(void **state)
{
    uint64_t before = heap_host_free_pages();

    for (uint64_t seed = 1; seed <= 8; seed++) {
        const char *wrong = run(seed, 1500, ~0u);

        if (wrong)
            fail_msg("seed %lu: %s", (unsigned long)seed, wrong);
        assert_null(vm_areas.root);
    }
    assert_int_equal(heap_host_free_pages(), before);
}

static void test_area_property_can_fail(void **state)
{
    for (uint64_t seed = 1; seed <= 8; seed++)
        assert_non_null(run(seed, 1500, 700));
}

static void test_vmalloc(void **state)
{
    uint64_t before = heap_host_free_pages();
    char *area = vmalloc(5 * PAGE_SIZE - 100, ALLOC_ZERO), *other = vmalloc(1, 0);
    char text[200];

    assert_non_null(area);
    assert_non_null(other);
    for (unsigned i = 0; i < 5; i++)
        assert_true(MAPPED(*entry((uint64_t)(uintptr_t)area + i * PAGE_SIZE)));
    assert_int_equal(*entry((uint64_t)(uintptr_t)area - 1), NOTHING);
    assert_int_equal(*entry((uint64_t)(uintptr_t)area + 5 * PAGE_SIZE), NOTHING);
    assert_true(other >= area + 6 * PAGE_SIZE);
    assert_true(vmalloc_describe(area + 17, text, sizeof(text)));
    assert_non_null(strstr(text, "vmalloc memory +17 (20380 bytes"));
    assert_true(vmalloc_describe(area - 1, text, sizeof(text)));
    assert_non_null(strstr(text, "guard page below vmalloc memory"));
    assert_true(vmalloc_describe(area + 5 * PAGE_SIZE, text, sizeof(text)));
    assert_non_null(strstr(text, "guard page above vmalloc memory"));
    vfree(area);
    assert_false(vmalloc_describe(area, text, sizeof(text)));
    vfree(other);
    vfree(NULL);
    for (unsigned i = 0; i < MAPPED_MAX; i++)
        assert_int_equal(table[i], NOTHING);
    assert_int_equal(vm_pages_held[VM_AREA_PAGES], 0);
    assert_int_equal(heap_host_free_pages(), before);
}

static void test_vmalloc_limits(void **state)
{
    uint64_t before = heap_host_free_pages();

    assert_null(vmalloc(0, 0));
    assert_null(vmalloc(SIZE_MAX, 0));
    assert_null(vmalloc(SIZE_MAX - 4096, 0));
    assert_null(vmalloc(FRAMES * PAGE_SIZE * 2, 0));
    assert_int_equal(heap_host_free_pages(), before);
    assert_true(UNIT_ENDS_KERNEL(vfree((void *)(VMALLOC_BASE + 2 * PAGE_SIZE))));
    assert_true(UNIT_ENDS_KERNEL(vfree((void *)17)));
}

static void test_vmalloc_exhaustion(void **state)
{
    uint64_t before = heap_host_free_pages();
    void *areas[200];

    for (unsigned round = 0; round < 3; round++) {
        unsigned count = 0;

        while (count < ARRAY_SIZE(areas) && (areas[count] = vmalloc(100 * PAGE_SIZE, 0)))
            count++;
        assert_in_range(count, FRAMES / 100 - 10, FRAMES / 100);
        while (count)
            vfree(areas[--count]);
        assert_int_equal(heap_host_free_pages(), before);
    }
}

static void test_every_failure(void **state)
{
    uint64_t before = heap_host_free_pages();

    for (unsigned what = 0; what < 2; what++) {
        for (uint64_t nth = 1;; nth++) {
            bool has_failed;
            void *area, *device;

            if (what == 0)
                fail_inject_arm(FAIL_ANY, nth);
            else
                maps_until_failure = nth;
            area = vmalloc(9 * PAGE_SIZE, 0);
            device = device_map(paddr(0xfed00008), 0x1000, MAP_WRITE | MAP_UNCACHED);
            has_failed = what == 0 ? fail_inject_disarm() : maps_until_failure == 0;
            maps_until_failure = 0;
            assert_true(has_failed || (area && device));
            vfree(area);
            device_unmap(device);
            assert_null(vm_areas.root);
            assert_int_equal(heap_host_free_pages(), before);
            if (!has_failed)
                break;
        }
    }
}

static void test_device_map(void **state)
{
    char *registers = device_map(paddr(0xfee00123), 0x1000, MAP_WRITE | MAP_UNCACHED);
    char *large = device_map(paddr(0xe0000000 + 5 * PAGE_SIZE), 8 * PAGE_SIZE_2M, MAP_WRITE | MAP_WRITE_COMBINE);

    assert_non_null(registers);
    assert_int_equal((uint64_t)(uintptr_t)registers % PAGE_SIZE, 0x123);
    assert_int_equal(*entry((uint64_t)(uintptr_t)registers), 0xfee00000 | 2);
    assert_int_equal(*entry((uint64_t)(uintptr_t)registers + 0x1000), 0xfee01000 | 2);
    assert_int_equal((uint64_t)(uintptr_t)large % PAGE_SIZE_2M, 5 * PAGE_SIZE);
    device_unmap(registers);
    device_unmap(large);
    assert_null(device_map(paddr(0), 0, MAP_UNCACHED));
    assert_null(device_map(paddr(UINT64_MAX - 10), 100, MAP_UNCACHED));
    assert_null(device_map(paddr(0x1000), 100, MAP_EXECUTE));
    struct page *page = page_alloc(0, PAGE_PRIVATE, ALLOC_NORMAL);
    assert_non_null(page);
    paddr_t memory = pfn_to_paddr(page_to_pfn(page));
    assert_null(device_map(memory, 1, MAP_UNCACHED));
    assert_null(device_map(paddr_add(memory, PAGE_SIZE - 1), 1, MAP_WRITE));
    assert_null(device_map(paddr(0), GIB(8), MAP_WRITE | MAP_UNCACHED));
    char *readable = device_map(memory, 1, MAP_READ);
    assert_non_null(readable);
    device_unmap(readable);
    page_free(page, 0);
    assert_null(vm_areas.root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_area_property, start),
        cmocka_unit_test_setup(test_area_property_can_fail, start),
        cmocka_unit_test_setup(test_vmalloc, start),
        cmocka_unit_test_setup(test_vmalloc_limits, start),
        cmocka_unit_test_setup(test_vmalloc_exhaustion, start),
        cmocka_unit_test_setup(test_every_failure, start),
        cmocka_unit_test_setup(test_device_map, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
