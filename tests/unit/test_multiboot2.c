/* Multiboot2 boot information: what GRUB leaves on BIOS and on UEFI, and each way in which tags and what lies in them
 * can be wrong. Maps and framebuffers have files of their own. */
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/errno.h>
#include <boot/memory_map.h>
#include <hw/efi.h>
#include <hw/multiboot2.h>
#include <hw/rsdp.h>

#include "support/boot_notes.h"
#include "support/multiboot2_builder.h"

/* q35, 512 MiB, SeaBIOS 1.16, GRUB 2.06. */
static void grub_on_bios(void **state)
{
    static const struct multiboot2_memory_entry map[] = {
        {0, 0x9fc00, 1, 0},          {0x9fc00, 0x400, 2, 0},
        {0xf0000, 0x10000, 2, 0},    {0x100000, 0x1fedf000, 1, 0},
        {0x1ffdf000, 0x21000, 2, 0}, {0xb0000000, 0x10000000, 2, 0},
        {0xfed1c000, 0x4000, 2, 0},  {0xfeffc000, 0x4000, 2, 0},
        {0xfffc0000, 0x40000, 2, 0}, {0xfd00000000, 0x300000000, 2, 0},
    };

    begin_info();
    put_text(MULTIBOOT2_TAG_COMMAND_LINE, "keel.panic=exit \"keel.run=help; exit\"");
    put_text(MULTIBOOT2_TAG_LOADER_NAME, "GRUB 2.06-13+deb12u1");
    put_tag(10, "APM table, 28 bytes in all..", 20);
    put_module(0x10b000, 0x10c234, "/boot/initramfs a=b");
    put_tag(4, (uint32_t[]){639, 523132}, 8);
    put_memory_map(map, ARRAY_SIZE(map), 24);
    put_framebuffer((struct multiboot2_framebuffer){{0}, 0xfd000000, 5120, 1280, 800, 32, 1, 0},
                    (struct multiboot2_rgb){16, 8, 8, 8, 0, 8});
    put_rsdp(MULTIBOOT2_TAG_ACPI_OLD, sizeof(struct rsdp_v1));
    put_tag(MULTIBOOT2_TAG_LOAD_BASE, (uint32_t[]){0x200000}, 4);
    end_info();

    assert_int_equal(parse(), 0);
    assert_int_equal(boot_notes_count(), 0);
    assert_int_equal(info.protocol, BOOT_PROTOCOL_MULTIBOOT2);
    assert_int_equal(info.firmware, FIRMWARE_BIOS);
    assert_string_equal(info.command_line, "keel.panic=exit \"keel.run=help; exit\"");
    assert_string_equal(info.loader_name, "GRUB 2.06-13+deb12u1");
    assert_int_equal(info.loader_info_length, info_size);
    assert_int_equal(info.load_base.value, 0x200000);
    assert_int_equal(info.nr_modules, 1);
    assert_int_equal(info.modules[0].base.value, 0x10b000);
    assert_int_equal(info.modules[0].length_bytes, 0x1234);
    assert_string_equal(info.modules[0].command_line, "/boot/initramfs a=b");
    assert_int_equal(info.nr_memory, 10);
    assert_int_equal(memory_map_usable_bytes(&info), 0x9f000 + 0x1fedf000);
    assert_int_equal(info.framebuffer.kind, FRAMEBUFFER_RGB);
    assert_int_equal(info.framebuffer.base.value, 0xfd000000);
    assert_int_equal(info.framebuffer.pitch_bytes, 5120);
    assert_int_equal(info.framebuffer.red_shift, 16);
    assert_int_equal(info.framebuffer.green_shift, 8);
    assert_int_equal(info.framebuffer.blue_bits, 8);
    assert_int_equal(info.rsdp_copy_length, 20);
    assert_memory_equal(info.rsdp_copy, "RSD PTR ", 8);
    assert_int_equal(info.efi_system_table.value, 0);
}

/* q35, 512 MiB, OVMF 2022.11, GRUB 2.06: both RSDPs, types beyond 5, 48-byte descriptors. */
static void grub_on_uefi(void **state)
{
    static const struct multiboot2_memory_entry map[] = {
        {0, 0xa0000, 1, 0},           {0x100000, 0x700000, 1, 0},    {0x800000, 0x8000, 4, 0},
        {0x808000, 0x3000, 1, 0},     {0x80b000, 0x1000, 4, 0},      {0x810000, 0xf0000, 4, 0},
        {0x900000, 0x1d3e9000, 1, 0}, {0x1dce9000, 0x100000, 20, 0}, {0x1dde9000, 0x2000, 3, 0},
        {0x1ddeb000, 0x1000, 12, 0},  {0x1ddec000, 0x2000000, 1, 0}, {0xffc00000, 0x400000, 2, 0},
    };
    static const struct efi_memory_descriptor efi[] = {
        {EFI_BOOT_SERVICES_CODE, 0, 0, 0, 1, 0xf},           {EFI_CONVENTIONAL_MEMORY, 0, 0x1000, 0, 0x9f, 0xf},
        {EFI_LOADER_DATA, 0, 0x100000, 0, 0x700, 0xf},       {EFI_ACPI_MEMORY_NVS, 0, 0x800000, 0, 8, 0xf},
        {EFI_ACPI_RECLAIM_MEMORY, 0, 0x1dde9000, 0, 2, 0xf}, {6 /* runtime data */, 0, 0x1f000000, 0, 0x10, 0xf},
    };

    begin_info();
    put_text(MULTIBOOT2_TAG_COMMAND_LINE, "");
    put_text(MULTIBOOT2_TAG_LOADER_NAME, "GRUB 2.06-13+deb12u1");
    put_memory_map(map, ARRAY_SIZE(map), 24);
    put_tag(MULTIBOOT2_TAG_EFI64_SYSTEM_TABLE, (uint64_t[]){0x1f9ec018}, 8);
    put_framebuffer((struct multiboot2_framebuffer){{0}, 0x80000000, 5120, 1280, 800, 32, 1, 0},
                    (struct multiboot2_rgb){16, 8, 8, 8, 0, 8});
    put_rsdp(MULTIBOOT2_TAG_ACPI_OLD, sizeof(struct rsdp_v1));
    put_rsdp(MULTIBOOT2_TAG_ACPI_NEW, sizeof(struct rsdp));
    put_efi_map(efi, ARRAY_SIZE(efi), 48);
    put_tag(20, (uint64_t[]){0x1e8d2c98}, 8);
    end_info();

    assert_int_equal(parse(), 0);
    assert_int_equal(boot_notes_count(), 0);
    assert_int_equal(info.firmware, FIRMWARE_UEFI);
    assert_int_equal(info.efi_system_table.value, 0x1f9ec018);
    assert_int_equal(info.rsdp_copy_length, 36);
    assert_int_equal(memory_map_find(&info, paddr(0x1dce9000))->kind, MEMORY_RESERVED);
    assert_int_equal(memory_map_find(&info, paddr(0x1ddeb000))->kind, MEMORY_RESERVED);
    assert_int_equal(memory_map_find(&info, paddr(0x1dde9000))->kind, MEMORY_ACPI_RECLAIMABLE);
    assert_int_equal(memory_map_find(&info, paddr(0x1f000000))->kind, MEMORY_RESERVED);
    assert_int_equal(memory_map_find(&info, paddr(0x1effffff))->kind, MEMORY_USABLE);
}

/* A dump of a real boot, made by tests/fuzz/dump.py: nothing in it is odd. */
static void parse_dump(const char *path)
{
    FILE *file = fopen(path, "rb");

    assert_non_null(file);
    info_size = (uint32_t)fread(info_bytes, 1, INFO_MAX, file);
    fclose(file);
    assert_int_equal(parse(), 0);
    assert_int_equal(boot_notes_count(), 0);
    assert_true(strncmp(info.loader_name, "GRUB 2.06", 9) == 0);
    assert_int_equal(info.framebuffer.width, 1280);
    assert_int_equal(info.framebuffer.height, 800);
    assert_int_equal(info.framebuffer.bits_per_pixel, 32);
    assert_int_equal(info.load_base.value % 0x200000, 0);
    assert_in_range(memory_map_usable_bytes(&info), 480ull << 20, 512ull << 20);
    assert_int_equal(memory_map_find(&info, paddr(0xb0000000))->kind, MEMORY_RESERVED); /* q35's MMCONFIG */
}

static void dump_of_grub_on_bios(void **state)
{
    parse_dump(DUMPS "/real-grub-bios");
    assert_int_equal(info.firmware, FIRMWARE_BIOS);
    assert_int_equal(info.rsdp_copy_length, 20);
}

static void dump_of_grub_on_uefi(void **state)
{
    parse_dump(DUMPS "/real-grub-uefi");
    assert_int_equal(info.firmware, FIRMWARE_UEFI);
    assert_int_equal(info.rsdp_copy_length, 36);
    assert_true(info.efi_system_table.value != 0);
    assert_int_equal(memory_map_find(&info, paddr(0x800000))->kind, MEMORY_ACPI_NVS);
}

static void no_information_at_all(void **state)
{
    info_size = 0;
    assert_int_equal(parse_cut(0), -EBADMSG);
    assert_int_equal(parse_cut(7), -EBADMSG);
    assert_true(boot_notes_have("cut off after 7 bytes"));
}

static void total_size_beyond_what_is_there(void **state)
{
    begin_info();
    put_plain_map();
    end_info();
    assert_int_equal(parse_cut(info_size - 1), -EBADMSG);
    assert_true(boot_notes_have("claims"));
}

static void total_size_below_its_own_header(void **state)
{
    for (uint32_t total = 0; total < 8; total++) {
        begin_info();
        put_plain_map();
        end_info();
        memcpy(info_bytes, &total, sizeof(total));
        assert_int_equal(parse(), -EBADMSG);
    }
}

static void every_truncation_is_survived(void **state)
{
    uint32_t whole;

    begin_info();
    put_text(MULTIBOOT2_TAG_COMMAND_LINE, "keel.panic=exit");
    put_module(0x200000, 0x201000, "m");
    put_plain_map();
    put_efi_map(&(struct efi_memory_descriptor){7, 0, 0x100000, 0, 16, 0}, 1, 48);
    put_framebuffer((struct multiboot2_framebuffer){{0}, 0xfd000000, 5120, 1280, 800, 32, 1, 0},
                    (struct multiboot2_rgb){16, 8, 8, 8, 0, 8});
    put_rsdp(MULTIBOOT2_TAG_ACPI_NEW, sizeof(struct rsdp));
    end_info();
    whole = info_size;
    for (uint32_t total = 0; total < whole; total++) {
        memcpy(info_bytes, &total, sizeof(total));
        info_size = total < 8 ? 8 : total;
        if (parse() == 0)
            assert_true(boot_notes_have("no end tag") || boot_notes_have("impossible size"));
        else
            assert_true(boot_notes_count() > 0);
    }
    info_size = whole;
}

static void missing_end_tag(void **state)
{
    begin_info();
    put_plain_map();
    memcpy(info_bytes, &info_size, sizeof(info_size));
    assert_int_equal(parse(), 0);
    assert_true(boot_notes_have("no end tag"));
    assert_int_equal(info.nr_memory, 2);
}

static void zero_size_tag_ends_the_reading(void **state)
{
    for (uint32_t wrong = 0; wrong < 8; wrong++) {
        uint32_t offset;

        begin_info();
        put_plain_map();
        offset = put_tag(MULTIBOOT2_TAG_COMMAND_LINE, "x", 2);
        put_text(MULTIBOOT2_TAG_LOADER_NAME, "never reached");
        end_info();
        memcpy(info_bytes + offset + 4, &wrong, sizeof(wrong));
        assert_int_equal(parse(), 0);
        assert_true(boot_notes_have("impossible size"));
        assert_string_equal(info.loader_name, "");
    }
}

static void huge_tag_ends_the_reading(void **state)
{
    static const uint32_t sizes[] = {0x7fffffff, 0x80000000, 0xfffffff1, 0xfffffff8, 0xffffffff};

    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        uint32_t offset;

        begin_info();
        put_plain_map();
        offset = put_tag(MULTIBOOT2_TAG_MODULE, "xxxxxxxxx", 9);
        end_info();
        memcpy(info_bytes + offset + 4, &sizes[i], sizeof(sizes[i]));
        assert_int_equal(parse(), 0);
        assert_true(boot_notes_have("impossible size"));
        assert_int_equal(info.nr_modules, 0);
    }
}

/* Every known type with every size too small for it. */
static void tags_too_small_are_left_out(void **state)
{
    for (uint32_t type = 1; type < 32; type++) {
        for (uint32_t length = 0; length < 40; length++) {
            uint8_t payload[40];

            memset(payload, 0xff, sizeof(payload));
            begin_info();
            put_tag(type, payload, length);
            if (type != MULTIBOOT2_TAG_MEMORY_MAP)
                put_plain_map();
            end_info();
            assert_int_equal(parse(), type == MULTIBOOT2_TAG_MEMORY_MAP ? -ENOENT : 0);
        }
    }
    begin_info();
    put_plain_map();
    put_tag(MULTIBOOT2_TAG_LOAD_BASE, "abc", 3);
    end_info();
    assert_int_equal(parse(), 0);
    assert_true(boot_notes_have("(load base) has 11 bytes, not 12"));
}

static void unterminated_strings_are_cut(void **state)
{
    begin_info();
    put_tag(MULTIBOOT2_TAG_COMMAND_LINE, "quiet", 5);
    put_tag(MULTIBOOT2_TAG_LOADER_NAME, "loader", 6);
    put_plain_map();
    end_info();
    assert_int_equal(parse(), 0);
    assert_string_equal(info.command_line, "quiet");
    assert_string_equal(info.loader_name, "loader");
    assert_true(boot_notes_have("command line at +0x8"));
    assert_true(boot_notes_have("loader name at"));
}

static void long_strings_are_cut(void **state)
{
    static char text[BOOT_COMMAND_LINE_MAX + 100];

    memset(text, 'k', sizeof(text) - 1);
    begin_info();
    put_text(MULTIBOOT2_TAG_COMMAND_LINE, text);
    put_text(MULTIBOOT2_TAG_LOADER_NAME, text);
    put_plain_map();
    end_info();
    assert_int_equal(parse(), 0);
    assert_int_equal(strlen(info.command_line), BOOT_COMMAND_LINE_MAX - 1);
    assert_int_equal(strlen(info.loader_name), sizeof(info.loader_name) - 1);
    assert_int_equal(boot_notes_count(), 2);

    begin_info();
    text[BOOT_COMMAND_LINE_MAX - 1] = '\0'; /* exactly fits */
    put_text(MULTIBOOT2_TAG_COMMAND_LINE, text);
    put_plain_map();
    end_info();
    assert_int_equal(parse(), 0);
    assert_int_equal(strlen(info.command_line), BOOT_COMMAND_LINE_MAX - 1);
    assert_int_equal(boot_notes_count(), 0);
}

static void control_characters_become_blanks(void **state)
{
    begin_info();
    put_text(MULTIBOOT2_TAG_COMMAND_LINE, "a\x1b[2Jb\r\nc\x7f");
    put_plain_map();
    end_info();
    assert_int_equal(parse(), 0);
    assert_string_equal(info.command_line, "a [2Jb  c ");
}

static void second_tags_of_a_kind_are_left_out(void **state)
{
    begin_info();
    put_text(MULTIBOOT2_TAG_COMMAND_LINE, "first");
    put_text(MULTIBOOT2_TAG_COMMAND_LINE, "second");
    put_plain_map();
    put_memory_map((struct multiboot2_memory_entry[]){{0x40000000, 0x40000000, 1, 0}}, 1, 24);
    end_info();
    assert_int_equal(parse(), 0);
    assert_string_equal(info.command_line, "first");
    assert_null(memory_map_find(&info, paddr(0x40000000)));
    assert_true(boot_notes_have("second command line"));
    assert_true(boot_notes_have("second memory map"));
}

static void efi32_system_table_counts_after_efi64(void **state)
{
    for (int order = 0; order < 2; order++) {
        begin_info();
        put_plain_map();
        if (order == 0)
            put_tag(MULTIBOOT2_TAG_EFI32_SYSTEM_TABLE, (uint32_t[]){0x1000}, 4);
        put_tag(MULTIBOOT2_TAG_EFI64_SYSTEM_TABLE, (uint64_t[]){0x2000}, 8);
        if (order == 1)
            put_tag(MULTIBOOT2_TAG_EFI32_SYSTEM_TABLE, (uint32_t[]){0x1000}, 4);
        end_info();
        assert_int_equal(parse(), 0);
        assert_int_equal(info.efi_system_table.value, 0x2000);
    }
}

static void modules_out_of_place_are_left_out(void **state)
{
    begin_info();
    put_module(0x200000, 0x201000, "good");
    put_module(0x300000, 0x300000, "empty");
    put_module(0x300000, 0x200000, "backwards");
    put_module(0x90000000, 0x90001000, "outside memory");
    put_module(0x1ffdf000, 0x1ffe1000, "across the end of memory");
    put_module(0x400000, 0x401000, "good too");
    put_plain_map();
    end_info();
    assert_int_equal(parse(), 0);
    assert_int_equal(info.nr_modules, 2);
    assert_string_equal(info.modules[0].command_line, "good");
    assert_string_equal(info.modules[1].command_line, "good too");
    assert_int_equal(boot_notes_count(), 4);
}

static void too_many_modules(void **state)
{
    begin_info();
    for (unsigned i = 0; i < BOOT_MODULES_MAX + 3; i++)
        put_module(0x200000 + i * 0x1000, 0x201000 + i * 0x1000, "m");
    put_plain_map();
    end_info();
    assert_int_equal(parse(), 0);
    assert_int_equal(info.nr_modules, BOOT_MODULES_MAX);
    assert_int_equal(boot_notes_count(), 3);
}

static void long_module_command_lines_are_cut(void **state)
{
    char text[200];

    memset(text, 'm', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    begin_info();
    put_module(0x200000, 0x201000, text);
    put_plain_map();
    end_info();
    assert_int_equal(parse(), 0);
    assert_int_equal(strlen(info.modules[0].command_line), sizeof(info.modules[0].command_line) - 1);
    assert_true(boot_notes_have("module at +0x8 is cut"));
}

static void rsdp_copies_that_are_wrong(void **state)
{
    for (unsigned at = 0; at < 36; at++) {
        begin_info();
        put_plain_map();
        put_rsdp(MULTIBOOT2_TAG_ACPI_NEW, sizeof(struct rsdp));
        info_bytes[info_size - 40 + at]++;
        end_info();
        assert_int_equal(parse(), 0);
        assert_int_equal(info.rsdp_copy_length, 0);
        assert_true(boot_notes_have("RSDP copy at"));
    }
}

static void new_rsdp_wins_in_any_order(void **state)
{
    begin_info();
    put_plain_map();
    put_rsdp(MULTIBOOT2_TAG_ACPI_NEW, sizeof(struct rsdp));
    put_rsdp(MULTIBOOT2_TAG_ACPI_OLD, sizeof(struct rsdp_v1));
    end_info();
    assert_int_equal(parse(), 0);
    assert_int_equal(info.rsdp_copy_length, 36);
}

static void any_single_byte_changed(void **state)
{
    uint32_t whole;

    begin_info();
    put_text(MULTIBOOT2_TAG_COMMAND_LINE, "keel.panic=exit");
    put_module(0x200000, 0x201000, "m");
    put_plain_map();
    put_efi_map(&(struct efi_memory_descriptor){6, 0, 0x100000, 0, 16, 0}, 1, 48);
    put_framebuffer((struct multiboot2_framebuffer){{0}, 0xfd000000, 5120, 1280, 800, 32, 1, 0},
                    (struct multiboot2_rgb){16, 8, 8, 8, 0, 8});
    end_info();
    whole = info_size;
    for (uint32_t at = 0; at < whole; at++) {
        uint8_t old = info_bytes[at];

        for (unsigned bit = 0; bit < 8; bit++) {
            info_bytes[at] = (uint8_t)(old ^ (1u << bit));
            if (parse() == 0)
                assert_in_range(info.nr_memory, 1, BOOT_MEMORY_MAX);
        }
        info_bytes[at] = old;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grub_on_bios),
        cmocka_unit_test(grub_on_uefi),
        cmocka_unit_test(dump_of_grub_on_bios),
        cmocka_unit_test(dump_of_grub_on_uefi),
        cmocka_unit_test(no_information_at_all),
        cmocka_unit_test(total_size_beyond_what_is_there),
        cmocka_unit_test(total_size_below_its_own_header),
        cmocka_unit_test(every_truncation_is_survived),
        cmocka_unit_test(missing_end_tag),
        cmocka_unit_test(zero_size_tag_ends_the_reading),
        cmocka_unit_test(huge_tag_ends_the_reading),
        cmocka_unit_test(tags_too_small_are_left_out),
        cmocka_unit_test(unterminated_strings_are_cut),
        cmocka_unit_test(long_strings_are_cut),
        cmocka_unit_test(control_characters_become_blanks),
        cmocka_unit_test(second_tags_of_a_kind_are_left_out),
        cmocka_unit_test(efi32_system_table_counts_after_efi64),
        cmocka_unit_test(modules_out_of_place_are_left_out),
        cmocka_unit_test(too_many_modules),
        cmocka_unit_test(long_module_command_lines_are_cut),
        cmocka_unit_test(rsdp_copies_that_are_wrong),
        cmocka_unit_test(new_rsdp_wins_in_any_order),
        cmocka_unit_test(any_single_byte_changed),
    };

    return cmocka_run_group_tests_name("multiboot2", tests, NULL, NULL);
}
