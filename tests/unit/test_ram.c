/* Which frames of a memory map become RAM the kernel maps: whole frames, each once, none beyond what the CPU reaches.
 */
#include "support/unit.h"

#include <string.h>

#include <base/align.h>
#include <cpu/features.h>

#include "../../mm/kernel_tables.h"

char *host_physmap;
struct page *host_page_array;

static struct cpu_identity identity;
static struct boot_info info;

const struct cpu_identity *cpu_identity(void)
{
    return &identity;
}

static void start(unsigned physical_bits)
{
    memset(&info, 0, sizeof(info));
    identity.physical_bits = physical_bits;
}

static void add(uint64_t base, uint64_t length, enum memory_kind kind)
{
    info.memory[info.nr_memory++] = (struct memory_range){paddr(base), length, kind};
}

static void expect_ranges(const uint64_t (*expected)[2], unsigned n)
{
    struct ram_range range;
    unsigned index = 0;

    for (unsigned i = 0; i < n; i++) {
        assert_true(ram_next(&info, &index, &range));
        assert_int_equal(range.first.number, expected[i][0]);
        assert_int_equal(range.end.number, expected[i][1]);
    }
    assert_false(ram_next(&info, &index, &range));
}

static void test_kinds(void **state)
{
    (void)state;
    start(40);
    add(0, 0x9f000, MEMORY_USABLE);
    add(0x9fc00, 0x400, MEMORY_RESERVED);
    add(MIB(1), MIB(10), MEMORY_USABLE);
    add(MIB(11), MIB(1), MEMORY_ACPI_NVS);
    add(MIB(12), MIB(1), MEMORY_ACPI_RECLAIMABLE);
    add(MIB(13), MIB(1), MEMORY_BAD);
    static const uint64_t expected[][2] = {{0, 0x9f}, {0x100, 0xb00}, {0xc00, 0xd00}};
    expect_ranges(expected, 3);
}

/* Tables of the firmware that do not fill their pages: two share one, and one shares with usable memory. */
static void test_shared_frames(void **state)
{
    (void)state;
    start(40);
    add(0x10000, 0x1000, MEMORY_USABLE);
    add(0x11010, 0x100, MEMORY_ACPI_RECLAIMABLE);
    add(0x11200, 0x1000, MEMORY_ACPI_RECLAIMABLE);
    add(0x12300, 0x80, MEMORY_ACPI_RECLAIMABLE);
    add(0x13000, 0x1000, MEMORY_USABLE);
    static const uint64_t expected[][2] = {{0x10, 0x11}, {0x11, 0x12}, {0x12, 0x13}, {0x13, 0x14}};
    expect_ranges(expected, 4);
}

static void test_limits(void **state)
{
    (void)state;
    start(36);
    add(GIB(60), GIB(10), MEMORY_USABLE);
    add(GIB(80), GIB(1), MEMORY_USABLE);
    static const uint64_t cut[][2] = {{GIB(60) >> PAGE_SHIFT, GIB(64) >> PAGE_SHIFT}};
    expect_ranges(cut, 1);
    assert_int_equal(ram_limit().number, GIB(64) >> PAGE_SHIFT);

    start(52); /* more than the physmap holds */
    assert_int_equal(ram_limit().number, PHYSMAP_SIZE >> PAGE_SHIFT);
    add(PHYSMAP_SIZE - GIB(1), GIB(2), MEMORY_USABLE);
    static const uint64_t whole[][2] = {{(PHYSMAP_SIZE - GIB(1)) >> PAGE_SHIFT, PHYSMAP_SIZE >> PAGE_SHIFT}};
    expect_ranges(whole, 1);

    start(40);
    expect_ranges(NULL, 0);
}

static void test_screen(void **state)
{
    (void)state;
    vaddr_t base;

    start(40);
    assert_int_equal(early_screen(&info, &base), 0);
    info.framebuffer = (struct framebuffer_info){
        .kind = FRAMEBUFFER_RGB, .base = paddr(0xfd000010), .pitch_bytes = 3200, .height = 600};
    assert_int_equal(early_screen(&info, &base), align_up(0x10 + 3200 * 600, PAGE_SIZE));
    assert_int_equal(physmap_to_phys(vaddr_to_pointer(base)).value, 0xfd000000);
    info.framebuffer.base = paddr(GIB(4) - PAGE_SIZE); /* not all of it below 4 GiB */
    assert_int_equal(early_screen(&info, &base), 0);
    info.framebuffer.base = paddr(GIB(5));
    assert_int_equal(early_screen(&info, &base), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_shared_frames),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_screen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
