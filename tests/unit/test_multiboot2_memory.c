/* The two memory maps of Multiboot2 boot information, and each way in which they can be wrong. */
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

#include <base/errno.h>
#include <boot/memory_map.h>
#include <hw/efi.h>
#include <hw/multiboot2.h>

#include "support/boot_notes.h"
#include "support/multiboot2_builder.h"

static void no_memory_map(void **state)
{
    begin_info();
    end_info();
    assert_int_equal(parse(), -ENOENT);
    assert_true(boot_notes_have("no memory map"));
    begin_info();
    put_memory_map(NULL, 0, 24);
    end_info();
    assert_int_equal(parse(), -ENOENT);
}

static void no_usable_memory(void **state)
{
    begin_info();
    put_memory_map((struct multiboot2_memory_entry[]){{0, 0x10000000, 2, 0}, {0x20000000, 0xfff, 1, 0}}, 2, 24);
    end_info();
    assert_int_equal(parse(), -ENOMEM);
    assert_true(boot_notes_have("no usable memory"));
}

static void other_entry_sizes(void **state)
{
    begin_info();
    put_memory_map(plain_map, 2, 40);
    end_info();
    assert_int_equal(parse(), 0);
    assert_int_equal(info.nr_memory, 2);
    assert_int_equal(boot_notes_count(), 0);
    for (uint32_t entry_size = 0; entry_size < 24; entry_size++) {
        begin_info();
        put_memory_map(plain_map, 2, entry_size);
        end_info();
        assert_int_equal(parse(), -ENOENT);
        assert_true(boot_notes_have("has entries of"));
    }
    begin_info();
    put_memory_map(plain_map, 2, 24);
    memcpy(info_bytes + 16, (uint32_t[]){0xffffffff}, 4);
    end_info();
    assert_int_equal(parse(), -ENOENT);
}

static void map_that_ends_inside_an_entry(void **state)
{
    uint32_t offset;

    begin_info();
    offset = put_memory_map(plain_map, 2, 24);
    ((struct multiboot2_tag *)(info_bytes + offset))->size -= 1;
    end_info();
    assert_int_equal(parse(), 0);
    assert_int_equal(info.nr_memory, 1);
    assert_true(boot_notes_have("ends inside an entry"));
}

static void unknown_entry_version_is_said(void **state)
{
    uint32_t offset;

    begin_info();
    offset = put_memory_map(plain_map, 2, 24);
    info_bytes[offset + 12] = 7;
    end_info();
    assert_int_equal(parse(), 0);
    assert_true(boot_notes_have("unknown version 7"));
}

/* Sorted, as firmware writes them: the large range survives, whatever else is lost. */
static void hundred_thousand_entries(void **state)
{
    static struct multiboot2_memory_entry map[MEMORY_MAP_ENTRIES_MAX + 1];

    for (unsigned i = 0; i < ARRAY_SIZE(map); i++)
        map[i] = (struct multiboot2_memory_entry){i * 0x10000ull, i % 3 ? 0xf000 : 0x1000, i % 3 ? 1 : 2, 0};
    map[50000].length = 0x40000000;
    for (unsigned i = 50001; i < ARRAY_SIZE(map); i++)
        map[i].base += 0x40000000;
    begin_info();
    put_memory_map(map, 100000, 24);
    end_info();
    assert_int_equal(parse(), 0);
    assert_in_range(info.nr_memory, 1, BOOT_MEMORY_MAX);
    assert_true(memory_map_is_usable(&info, paddr(map[50000].base), map[50000].length));
    assert_true(boot_notes_have("more than 256 ranges"));
    begin_info();
    put_memory_map(map, MEMORY_MAP_ENTRIES_MAX + 1, 24);
    end_info();
    assert_int_equal(parse(), -ENOENT);
    assert_true(boot_notes_have("has 131073 entries: left out"));
}

static void hundred_thousand_random_entries(void **state)
{
    static struct multiboot2_memory_entry map[100000];

    srand(5);
    for (unsigned i = 0; i < ARRAY_SIZE(map); i++)
        map[i] = (struct multiboot2_memory_entry){(uint64_t)(unsigned)rand() << 12, (uint64_t)rand() % 0x10000,
                                                  i % 3 ? 1 : (uint32_t)rand() % 8, 0};
    begin_info();
    put_memory_map(map, ARRAY_SIZE(map), 24);
    end_info();
    if (parse() != 0)
        assert_true(boot_notes_have("no usable memory"));
    assert_in_range(info.nr_memory, 1, BOOT_MEMORY_MAX);
}

static void efi_map_stands_in_for_the_other(void **state)
{
    static const struct efi_memory_descriptor efi[] = {
        {EFI_BOOT_SERVICES_DATA, 0, 0x100000, 0, 0x100, 0},
        {EFI_CONVENTIONAL_MEMORY, 0, 0x200000, 0, 0x1000, 0},
        {EFI_UNUSABLE_MEMORY, 0, 0x300000, 0, 1, 0},
        {EFI_CONVENTIONAL_MEMORY, 0, 0x8000000, 0, UINT64_MAX, 0},
    };

    for (int boot_services_run = 0; boot_services_run < 2; boot_services_run++) {
        begin_info();
        put_efi_map(efi, ARRAY_SIZE(efi), 40);
        if (boot_services_run)
            put_tag(MULTIBOOT2_TAG_EFI_BOOT_SERVICES, NULL, 0);
        end_info();
        assert_int_equal(parse(), 0);
        assert_int_equal(info.firmware, FIRMWARE_UEFI);
        assert_int_equal(memory_map_find(&info, paddr(0x100000))->kind,
                         boot_services_run ? MEMORY_RESERVED : MEMORY_USABLE);
        assert_int_equal(memory_map_find(&info, paddr(0x300000))->kind, MEMORY_BAD);
        assert_true(boot_notes_have("is left out"));
    }
}

static void efi_map_with_a_wrong_descriptor_size(void **state)
{
    for (uint32_t descriptor_size = 0; descriptor_size < 40; descriptor_size++) {
        begin_info();
        put_plain_map();
        put_tag(MULTIBOOT2_TAG_EFI_MEMORY_MAP, (uint32_t[14]){descriptor_size, 1}, 56);
        end_info();
        assert_int_equal(parse(), 0);
        assert_true(boot_notes_have("EFI memory map at"));
        assert_int_equal(info.nr_memory, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_memory_map),
        cmocka_unit_test(no_usable_memory),
        cmocka_unit_test(other_entry_sizes),
        cmocka_unit_test(map_that_ends_inside_an_entry),
        cmocka_unit_test(unknown_entry_version_is_said),
        cmocka_unit_test(hundred_thousand_entries),
        cmocka_unit_test(hundred_thousand_random_entries),
        cmocka_unit_test(efi_map_stands_in_for_the_other),
        cmocka_unit_test(efi_map_with_a_wrong_descriptor_size),
    };

    return cmocka_run_group_tests_name("multiboot2_memory", tests, NULL, NULL);
}
