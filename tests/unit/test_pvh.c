/* PVH start information in a fake physical memory: what QEMU leaves, and each way in which it can be wrong. */
#include "support/unit.h"

#include <stdio.h>
#include <string.h>

#include <base/errno.h>
#include <boot/memory_map.h>
#include <boot/pvh.h>
#include <boot/report.h>
#include <hw/pvh.h>

#include "support/boot_notes.h"

#define MEMORY_BASE 0x1000u
#define MEMORY_SIZE 0x8000u
#define START       0x1000u
#define MAP         0x2000u
#define TEXT        0x3000u
#define MODULES     0x4000u
#define MODULE_TEXT 0x5000u

static uint8_t memory_bytes[MEMORY_SIZE];
static struct boot_info info;
static struct pvh_start_info start;

static bool read_fake(const struct physical_memory *memory, paddr_t address, void *to, size_t size)
{
    if (address.value < MEMORY_BASE || address.value - MEMORY_BASE >= MEMORY_SIZE ||
        size > MEMORY_SIZE - (address.value - MEMORY_BASE))
        return false;
    memcpy(to, memory_bytes + (address.value - MEMORY_BASE), size);
    return true;
}

static const struct physical_memory fake = {read_fake};

static void poke(uint64_t address, const void *from, size_t size)
{
    assert_true(address >= MEMORY_BASE && address + size <= MEMORY_BASE + MEMORY_SIZE);
    memcpy(memory_bytes + (address - MEMORY_BASE), from, size);
}

/* q35, 512 MiB, QEMU 7.2 with -kernel and -append. */
static void setup_qemu(void)
{
    static const struct pvh_memory_entry map[] = {
        {0, 0x9fc00, 1, 0},           {0x9fc00, 0x400, 2, 0},      {0xf0000, 0x10000, 2, 0},
        {0x100000, 0x1fedf000, 1, 0}, {0x1ffdf000, 0x21000, 2, 0}, {0xb0000000, 0x10000000, 2, 0},
        {0xfed1c000, 0x4000, 2, 0},   {0xfffc0000, 0x40000, 2, 0}, {0, 0, 0, 0},
    };
    static const struct pvh_module modules[] = {{0x1ff00000, 0x1234, MODULE_TEXT, 0}};

    memset(memory_bytes, 0, sizeof(memory_bytes));
    start = (struct pvh_start_info){PVH_START_MAGIC, 1, 0, 1, MODULES, TEXT, 0xf5a80, MAP, 9, 0};
    poke(MAP, map, sizeof(map));
    poke(MODULES, modules, sizeof(modules));
    poke(TEXT, "keel.run=\"a b; c\"", 18);
    poke(MODULE_TEXT, "initramfs", 10);
}

static int parse_at(uint64_t address)
{
    boot_notes_start();
    memset(&info, 0xa5, sizeof(info));
    return pvh_parse(&fake, paddr(address), &info);
}

static int parse(void)
{
    poke(START, &start, sizeof(start));
    return parse_at(START);
}

static void qemu_direct_boot(void **state)
{
    setup_qemu();
    assert_int_equal(parse(), 0);
    assert_int_equal(boot_notes_count(), 0);
    assert_int_equal(info.protocol, BOOT_PROTOCOL_PVH);
    assert_int_equal(info.firmware, FIRMWARE_UNKNOWN);
    assert_string_equal(info.command_line, "keel.run=\"a b; c\"");
    assert_int_equal(info.rsdp.value, 0xf5a80);
    assert_int_equal(info.loader_info_length, sizeof(struct pvh_start_info));
    assert_int_equal(info.nr_memory, 8);
    assert_int_equal(memory_map_usable_bytes(&info), 0x9f000 + 0x1fedf000);
    assert_int_equal(info.nr_modules, 1);
    assert_int_equal(info.modules[0].base.value, 0x1ff00000);
    assert_string_equal(info.modules[0].command_line, "initramfs");
    assert_int_equal(info.framebuffer.kind, FRAMEBUFFER_NONE);
}

/* A dump of a real boot, made by tests/fuzz/dump.py. */
static void dump_of_qemu(void **state)
{
    FILE *file = fopen(DUMPS "/real-qemu-q35", "rb");

    assert_non_null(file);
    memset(memory_bytes, 0, sizeof(memory_bytes));
    assert_true(fread(memory_bytes, 1, sizeof(memory_bytes), file) > sizeof(start));
    fclose(file);
    assert_int_equal(parse_at(MEMORY_BASE), 0);
    assert_int_equal(boot_notes_count(), 0);
    assert_string_equal(info.command_line, "keel.run=\"help; exit\"");
    assert_true(info.rsdp.value >= 0xe0000 && info.rsdp.value < 0x100000);
    assert_in_range(memory_map_usable_bytes(&info), 510ull << 20, 512ull << 20);
}

static void start_information_outside_memory(void **state)
{
    static const uint64_t addresses[] = {
        0,          0xfff,          MEMORY_BASE + MEMORY_SIZE - 55, MEMORY_BASE + MEMORY_SIZE - 39, 0x100000000,
        UINT64_MAX, UINT64_MAX - 55};

    setup_qemu();
    poke(MEMORY_BASE + MEMORY_SIZE - 55, &start, 55);
    for (unsigned i = 0; i < ARRAY_SIZE(addresses); i++) {
        assert_int_equal(parse_at(addresses[i]), -EBADMSG);
        assert_int_equal(boot_notes_count(), 1);
    }
}

static void wrong_magic(void **state)
{
    setup_qemu();
    start.magic ^= 0x80;
    assert_int_equal(parse(), -EINVAL);
    assert_true(boot_notes_have("has magic"));
}

static void version_0_has_no_memory_map(void **state)
{
    setup_qemu();
    start.version = 0;
    assert_int_equal(parse(), -ENOENT);
    assert_true(boot_notes_have("no memory map"));
}

static void later_versions_read_as_1(void **state)
{
    setup_qemu();
    start.version = 7;
    assert_int_equal(parse(), 0);
    assert_int_equal(info.nr_memory, 8);
}

static void map_outside_memory(void **state)
{
    static const uint64_t addresses[] = {0, 0xfff, MEMORY_BASE + MEMORY_SIZE - 23, UINT64_MAX, UINT64_MAX - 23};

    for (unsigned i = 0; i < ARRAY_SIZE(addresses); i++) {
        setup_qemu();
        start.memory_map = addresses[i];
        assert_int_equal(parse(), -ENOENT);
        assert_true(boot_notes_have("cannot be read from entry 0"));
    }
}

static void map_that_runs_out_of_memory(void **state)
{
    static const struct pvh_memory_entry entry = {0x100000, 0x10000000, 1, 0};

    setup_qemu();
    start.nr_modules = 0;
    start.memory_map = MEMORY_BASE + MEMORY_SIZE - sizeof(entry);
    start.nr_memory_entries = 100000;
    poke(start.memory_map, &entry, sizeof(entry));
    assert_int_equal(parse(), 0);
    assert_int_equal(info.nr_memory, 1);
    assert_true(boot_notes_have("cannot be read from entry 1 of 100000"));
    start.nr_memory_entries = UINT32_MAX;
    assert_int_equal(parse(), -ENOENT);
    assert_true(boot_notes_have("has 4294967295 entries"));
}

static void no_usable_memory(void **state)
{
    static const struct pvh_memory_entry map[] = {{0, 0x10000000, 2, 0}, {0x20000000, 0xfff, 1, 0}};

    setup_qemu();
    poke(MAP, map, sizeof(map));
    start.nr_memory_entries = 2;
    assert_int_equal(parse(), -ENOMEM);
}

static void command_line_outside_memory(void **state)
{
    static const uint64_t addresses[] = {1, MEMORY_BASE + MEMORY_SIZE, UINT64_MAX};

    for (unsigned i = 0; i < ARRAY_SIZE(addresses); i++) {
        setup_qemu();
        start.command_line = addresses[i];
        assert_int_equal(parse(), 0);
        assert_string_equal(info.command_line, "");
        assert_true(boot_notes_have("command line at"));
    }
}

static void command_line_without_an_end(void **state)
{
    setup_qemu();
    start.command_line = MEMORY_BASE + MEMORY_SIZE - 3;
    poke(start.command_line, "abc", 3);
    assert_int_equal(parse(), 0);
    assert_string_equal(info.command_line, "abc");
    assert_true(boot_notes_have("within 3 readable bytes"));
}

static void long_command_line_is_cut(void **state)
{
    setup_qemu();
    memset(memory_bytes + (TEXT - MEMORY_BASE), 'k', BOOT_COMMAND_LINE_MAX);
    assert_int_equal(parse(), 0);
    assert_int_equal(strlen(info.command_line), BOOT_COMMAND_LINE_MAX - 1);
    assert_int_equal(boot_notes_count(), 1);
}

static void no_command_line_is_empty(void **state)
{
    setup_qemu();
    start.command_line = 0;
    assert_int_equal(parse(), 0);
    assert_string_equal(info.command_line, "");
    assert_int_equal(boot_notes_count(), 0);
}

static void module_list_outside_memory(void **state)
{
    static const uint64_t addresses[] = {0, MEMORY_BASE + MEMORY_SIZE - 31, UINT64_MAX};

    for (unsigned i = 0; i < ARRAY_SIZE(addresses); i++) {
        setup_qemu();
        start.modules = addresses[i];
        start.nr_modules = UINT32_MAX;
        assert_int_equal(parse(), 0);
        assert_int_equal(info.nr_modules, 0);
        assert_true(boot_notes_have("module list at"));
    }
}

static void modules_out_of_place_are_left_out(void **state)
{
    static const struct pvh_module modules[] = {
        {0x1ff00000, 0, 0, 0},      {UINT64_MAX, 2, 0, 0},        {0x90000000, 0x1000, 0, 0},
        {0x1ffde000, 0x2000, 0, 0}, {0x200000, UINT64_MAX, 0, 0}, {0x300000, 0x1000, UINT64_MAX, 0},
    };

    setup_qemu();
    poke(MODULES, modules, sizeof(modules));
    start.nr_modules = ARRAY_SIZE(modules);
    assert_int_equal(parse(), 0);
    assert_int_equal(info.nr_modules, 1);
    assert_int_equal(info.modules[0].base.value, 0x300000);
    assert_string_equal(info.modules[0].command_line, "");
}

static void too_many_modules(void **state)
{
    setup_qemu();
    for (unsigned i = 0; i < BOOT_MODULES_MAX + 1; i++)
        poke(MODULES + i * sizeof(struct pvh_module), &(struct pvh_module){0x200000 + i * 0x1000, 0x1000, 0, 0},
             sizeof(struct pvh_module));
    start.nr_modules = UINT32_MAX;
    assert_int_equal(parse(), 0);
    assert_int_equal(info.nr_modules, BOOT_MODULES_MAX);
    assert_true(boot_notes_have("those from 16 on are left out"));
}

static void notes_are_counted_not_endless(void **state)
{
    static const struct pvh_memory_entry good = {0x100000, 0x10000000, 1, 0}, odd = {UINT64_MAX, 1, 2, 0};

    setup_qemu();
    start.nr_modules = 0;
    start.nr_memory_entries = 100;
    for (unsigned i = 0; i < 100; i++)
        poke(MAP + i * sizeof(odd), &odd, sizeof(odd));
    poke(MAP, &good, sizeof(good));
    assert_int_equal(parse(), 0);
    assert_int_equal(boot_notes_count(), BOOT_REPORT_NOTES_MAX);
    boot_report_end();
    assert_true(boot_notes_have("67 more oddities are not shown"));
}

static void any_single_byte_changed(void **state)
{
    setup_qemu();
    poke(START, &start, sizeof(start));
    for (unsigned at = 0; at < MEMORY_SIZE; at++) {
        uint8_t old = memory_bytes[at];

        if (old == 0 && at >= sizeof(start))
            continue;
        for (unsigned bit = 0; bit < 8; bit++) {
            memory_bytes[at] = (uint8_t)(old ^ (1u << bit));
            if (parse_at(START) == 0)
                assert_in_range(info.nr_memory, 1, BOOT_MEMORY_MAX);
        }
        memory_bytes[at] = old;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(qemu_direct_boot),
        cmocka_unit_test(dump_of_qemu),
        cmocka_unit_test(start_information_outside_memory),
        cmocka_unit_test(wrong_magic),
        cmocka_unit_test(version_0_has_no_memory_map),
        cmocka_unit_test(later_versions_read_as_1),
        cmocka_unit_test(map_outside_memory),
        cmocka_unit_test(map_that_runs_out_of_memory),
        cmocka_unit_test(no_usable_memory),
        cmocka_unit_test(command_line_outside_memory),
        cmocka_unit_test(command_line_without_an_end),
        cmocka_unit_test(long_command_line_is_cut),
        cmocka_unit_test(no_command_line_is_empty),
        cmocka_unit_test(module_list_outside_memory),
        cmocka_unit_test(modules_out_of_place_are_left_out),
        cmocka_unit_test(too_many_modules),
        cmocka_unit_test(notes_are_counted_not_endless),
        cmocka_unit_test(any_single_byte_changed),
    };

    return cmocka_run_group_tests_name("pvh", tests, NULL, NULL);
}
