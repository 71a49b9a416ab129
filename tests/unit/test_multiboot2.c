/* Multiboot2 boot information: what GRUB leaves on BIOS and on UEFI, and each way in which it can be wrong. Every parse
 * works on a copy of exactly the bytes it may read, so that the address sanitizer sees one byte too many. */
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

#include <base/align.h>
#include <base/errno.h>
#include <boot/memory_map.h>
#include <boot/multiboot2.h>
#include <hw/efi.h>
#include <hw/multiboot2.h>
#include <hw/rsdp.h>

#include "support/boot_notes.h"

#define INFO_MAX (4u << 20)

static uint8_t bytes[INFO_MAX];
static uint32_t size;
static struct boot_info info;

static void begin(void)
{
    memset(bytes, 0, size);
    size = sizeof(struct multiboot2_info);
}

static void put(const void *from, size_t length)
{
    assert_true(size + length <= INFO_MAX);
    if (length != 0)
        memcpy(bytes + size, from, length);
    size += (uint32_t)length;
}

/* Adds a tag with this payload; returns where it begins. */
static uint32_t put_tag(uint32_t type, const void *payload, size_t length)
{
    struct multiboot2_tag tag = {type, (uint32_t)(sizeof(tag) + length)};
    uint32_t offset = size;

    put(&tag, sizeof(tag));
    put(payload, length);
    size = (uint32_t)align_up(size, MULTIBOOT2_ALIGNMENT);
    return offset;
}

static void put_text(uint32_t type, const char *text)
{
    put_tag(type, text, strlen(text) + 1);
}

static void put_module(uint32_t start, uint32_t end, const char *text)
{
    uint8_t payload[300];

    memcpy(payload, (uint32_t[]){start, end}, 8);
    strcpy((char *)payload + 8, text);
    put_tag(MULTIBOOT2_TAG_MODULE, payload, 8 + strlen(text) + 1);
}

static uint32_t put_memory_map(const struct multiboot2_memory_entry *entries, unsigned count, uint32_t entry_size)
{
    uint32_t offset = put_tag(MULTIBOOT2_TAG_MEMORY_MAP, (uint32_t[]){entry_size, 0}, 8);

    for (unsigned i = 0; i < count; i++) {
        put(&entries[i], entry_size < sizeof(entries[i]) ? entry_size : sizeof(entries[i]));
        size += entry_size > sizeof(entries[i]) ? entry_size - (uint32_t)sizeof(entries[i]) : 0;
    }
    ((struct multiboot2_tag *)(bytes + offset))->size = size - offset;
    size = (uint32_t)align_up(size, MULTIBOOT2_ALIGNMENT);
    return offset;
}

/* OVMF's descriptors are 48 bytes. */
static void put_efi_map(const struct efi_memory_descriptor *entries, unsigned count, uint32_t descriptor_size)
{
    uint32_t offset = put_tag(MULTIBOOT2_TAG_EFI_MEMORY_MAP, (uint32_t[]){descriptor_size, 1}, 8);

    for (unsigned i = 0; i < count; i++) {
        put(&entries[i], sizeof(entries[i]));
        size += descriptor_size - (uint32_t)sizeof(entries[i]);
    }
    ((struct multiboot2_tag *)(bytes + offset))->size = size - offset;
    size = (uint32_t)align_up(size, MULTIBOOT2_ALIGNMENT);
}

static void put_framebuffer(struct multiboot2_framebuffer wire, struct multiboot2_rgb rgb)
{
    uint8_t payload[sizeof(wire) + sizeof(rgb)];

    memcpy(payload, &wire, sizeof(wire));
    memcpy(payload + sizeof(wire), &rgb, sizeof(rgb));
    put_tag(MULTIBOOT2_TAG_FRAMEBUFFER, payload + sizeof(wire.tag), sizeof(payload) - sizeof(wire.tag));
}

static void put_rsdp(uint32_t type, size_t length)
{
    struct rsdp rsdp = {.v1 = {.signature = RSDP_SIGNATURE, .oem_id = "BOCHS ", .rsdt = 0x1ffe2000}, .length = 36};
    uint8_t *raw = (uint8_t *)&rsdp;

    rsdp.v1.revision = length > sizeof(struct rsdp_v1) ? 2 : 0;
    for (unsigned i = 0; i < sizeof(struct rsdp_v1); i++)
        rsdp.v1.checksum = (uint8_t)(rsdp.v1.checksum - (i == 8 ? 0 : raw[i]));
    for (unsigned i = sizeof(struct rsdp_v1); i < sizeof(rsdp); i++)
        rsdp.extended_checksum = (uint8_t)(rsdp.extended_checksum - (i == 32 ? 0 : raw[i]));
    put_tag(type, &rsdp, length);
}

static void end(void)
{
    put_tag(MULTIBOOT2_TAG_END, NULL, 0);
    memcpy(bytes, &size, sizeof(size));
}

/* Parses exactly `available` bytes, at an odd address. */
static int parse_cut(size_t available)
{
    uint8_t *copy = malloc(available + 1);
    int result;

    memcpy(copy + 1, bytes, available);
    boot_notes_start();
    memset(&info, 0xa5, sizeof(info));
    result = multiboot2_parse(copy + 1, available, &info);
    free(copy);
    return result;
}

static int parse(void)
{
    return parse_cut(size);
}

static const struct multiboot2_memory_entry plain_map[] = {{0, 0x9fc00, 1, 0}, {0x100000, 0x1fee0000, 1, 0}};

static void put_plain_map(void)
{
    put_memory_map(plain_map, ARRAY_SIZE(plain_map), 24);
}

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

    begin();
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
    end();

    assert_int_equal(parse(), 0);
    assert_int_equal(boot_notes_count(), 0);
    assert_int_equal(info.protocol, BOOT_PROTOCOL_MULTIBOOT2);
    assert_int_equal(info.firmware, FIRMWARE_BIOS);
    assert_string_equal(info.command_line, "keel.panic=exit \"keel.run=help; exit\"");
    assert_string_equal(info.loader_name, "GRUB 2.06-13+deb12u1");
    assert_int_equal(info.loader_info_length, size);
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

    begin();
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
    end();

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

static void no_information_at_all(void **state)
{
    size = 0;
    assert_int_equal(parse_cut(0), -EBADMSG);
    assert_int_equal(parse_cut(7), -EBADMSG);
    assert_true(boot_notes_have("cut off after 7 bytes"));
}

static void total_size_beyond_what_is_there(void **state)
{
    begin();
    put_plain_map();
    end();
    assert_int_equal(parse_cut(size - 1), -EBADMSG);
    assert_true(boot_notes_have("claims"));
}

static void total_size_below_its_own_header(void **state)
{
    for (uint32_t total = 0; total < 8; total++) {
        begin();
        put_plain_map();
        end();
        memcpy(bytes, &total, sizeof(total));
        assert_int_equal(parse(), -EBADMSG);
    }
}

static void every_truncation_is_survived(void **state)
{
    uint32_t whole;

    begin();
    put_text(MULTIBOOT2_TAG_COMMAND_LINE, "keel.panic=exit");
    put_module(0x200000, 0x201000, "m");
    put_plain_map();
    put_efi_map(&(struct efi_memory_descriptor){7, 0, 0x100000, 0, 16, 0}, 1, 48);
    put_framebuffer((struct multiboot2_framebuffer){{0}, 0xfd000000, 5120, 1280, 800, 32, 1, 0},
                    (struct multiboot2_rgb){16, 8, 8, 8, 0, 8});
    put_rsdp(MULTIBOOT2_TAG_ACPI_NEW, sizeof(struct rsdp));
    end();
    whole = size;
    for (uint32_t total = 0; total < whole; total++) {
        memcpy(bytes, &total, sizeof(total));
        size = total < 8 ? 8 : total;
        if (parse() == 0)
            assert_true(boot_notes_have("no end tag") || boot_notes_have("impossible size"));
        else
            assert_true(boot_notes_count() > 0);
    }
    size = whole;
}

static void missing_end_tag(void **state)
{
    begin();
    put_plain_map();
    memcpy(bytes, &size, sizeof(size));
    assert_int_equal(parse(), 0);
    assert_true(boot_notes_have("no end tag"));
    assert_int_equal(info.nr_memory, 2);
}

static void zero_size_tag_ends_the_reading(void **state)
{
    for (uint32_t wrong = 0; wrong < 8; wrong++) {
        uint32_t offset;

        begin();
        put_plain_map();
        offset = put_tag(MULTIBOOT2_TAG_COMMAND_LINE, "x", 2);
        put_text(MULTIBOOT2_TAG_LOADER_NAME, "never reached");
        end();
        memcpy(bytes + offset + 4, &wrong, sizeof(wrong));
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

        begin();
        put_plain_map();
        offset = put_tag(MULTIBOOT2_TAG_MODULE, "xxxxxxxxx", 9);
        end();
        memcpy(bytes + offset + 4, &sizes[i], sizeof(sizes[i]));
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
            begin();
            put_tag(type, payload, length);
            if (type != MULTIBOOT2_TAG_MEMORY_MAP)
                put_plain_map();
            end();
            assert_int_equal(parse(), type == MULTIBOOT2_TAG_MEMORY_MAP ? -ENOENT : 0);
        }
    }
    begin();
    put_plain_map();
    put_tag(MULTIBOOT2_TAG_LOAD_BASE, "abc", 3);
    end();
    assert_int_equal(parse(), 0);
    assert_true(boot_notes_have("(load base) has 11 bytes, not 12"));
}

static void unterminated_strings_are_cut(void **state)
{
    begin();
    put_tag(MULTIBOOT2_TAG_COMMAND_LINE, "quiet", 5);
    put_tag(MULTIBOOT2_TAG_LOADER_NAME, "loader", 6);
    put_plain_map();
    end();
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
    begin();
    put_text(MULTIBOOT2_TAG_COMMAND_LINE, text);
    put_text(MULTIBOOT2_TAG_LOADER_NAME, text);
    put_plain_map();
    end();
    assert_int_equal(parse(), 0);
    assert_int_equal(strlen(info.command_line), BOOT_COMMAND_LINE_MAX - 1);
    assert_int_equal(strlen(info.loader_name), sizeof(info.loader_name) - 1);
    assert_int_equal(boot_notes_count(), 2);

    begin();
    text[BOOT_COMMAND_LINE_MAX - 1] = '\0'; /* exactly fits */
    put_text(MULTIBOOT2_TAG_COMMAND_LINE, text);
    put_plain_map();
    end();
    assert_int_equal(parse(), 0);
    assert_int_equal(strlen(info.command_line), BOOT_COMMAND_LINE_MAX - 1);
    assert_int_equal(boot_notes_count(), 0);
}

static void control_characters_become_blanks(void **state)
{
    begin();
    put_text(MULTIBOOT2_TAG_COMMAND_LINE, "a\x1b[2Jb\r\nc\x7f");
    put_plain_map();
    end();
    assert_int_equal(parse(), 0);
    assert_string_equal(info.command_line, "a [2Jb  c ");
}

static void second_tags_of_a_kind_are_left_out(void **state)
{
    begin();
    put_text(MULTIBOOT2_TAG_COMMAND_LINE, "first");
    put_text(MULTIBOOT2_TAG_COMMAND_LINE, "second");
    put_plain_map();
    put_memory_map((struct multiboot2_memory_entry[]){{0x40000000, 0x40000000, 1, 0}}, 1, 24);
    end();
    assert_int_equal(parse(), 0);
    assert_string_equal(info.command_line, "first");
    assert_null(memory_map_find(&info, paddr(0x40000000)));
    assert_true(boot_notes_have("second command line"));
    assert_true(boot_notes_have("second memory map"));
}

static void no_memory_map(void **state)
{
    begin();
    end();
    assert_int_equal(parse(), -ENOENT);
    assert_true(boot_notes_have("no memory map"));
    begin();
    put_memory_map(NULL, 0, 24);
    end();
    assert_int_equal(parse(), -ENOENT);
}

static void no_usable_memory(void **state)
{
    begin();
    put_memory_map((struct multiboot2_memory_entry[]){{0, 0x10000000, 2, 0}, {0x20000000, 0xfff, 1, 0}}, 2, 24);
    end();
    assert_int_equal(parse(), -ENOMEM);
    assert_true(boot_notes_have("no usable memory"));
}

static void other_entry_sizes(void **state)
{
    begin();
    put_memory_map(plain_map, 2, 40);
    end();
    assert_int_equal(parse(), 0);
    assert_int_equal(info.nr_memory, 2);
    assert_int_equal(boot_notes_count(), 0);
    for (uint32_t entry_size = 0; entry_size < 24; entry_size++) {
        begin();
        put_memory_map(plain_map, 2, entry_size);
        end();
        assert_int_equal(parse(), -ENOENT);
        assert_true(boot_notes_have("has entries of"));
    }
    begin();
    put_memory_map(plain_map, 2, 24);
    memcpy(bytes + 16, (uint32_t[]){0xffffffff}, 4);
    end();
    assert_int_equal(parse(), -ENOENT);
}

static void map_that_ends_inside_an_entry(void **state)
{
    uint32_t offset;

    begin();
    offset = put_memory_map(plain_map, 2, 24);
    ((struct multiboot2_tag *)(bytes + offset))->size -= 1;
    end();
    assert_int_equal(parse(), 0);
    assert_int_equal(info.nr_memory, 1);
    assert_true(boot_notes_have("ends inside an entry"));
}

static void unknown_entry_version_is_said(void **state)
{
    uint32_t offset;

    begin();
    offset = put_memory_map(plain_map, 2, 24);
    bytes[offset + 12] = 7;
    end();
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
    begin();
    put_memory_map(map, 100000, 24);
    end();
    assert_int_equal(parse(), 0);
    assert_in_range(info.nr_memory, 1, BOOT_MEMORY_MAX);
    assert_true(memory_map_is_usable(&info, paddr(map[50000].base), map[50000].length));
    assert_true(boot_notes_have("more than 256 ranges"));
    begin();
    put_memory_map(map, MEMORY_MAP_ENTRIES_MAX + 1, 24);
    end();
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
    begin();
    put_memory_map(map, ARRAY_SIZE(map), 24);
    end();
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
        begin();
        put_efi_map(efi, ARRAY_SIZE(efi), 40);
        if (boot_services_run)
            put_tag(MULTIBOOT2_TAG_EFI_BOOT_SERVICES, NULL, 0);
        end();
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
        begin();
        put_plain_map();
        put_tag(MULTIBOOT2_TAG_EFI_MEMORY_MAP, (uint32_t[14]){descriptor_size, 1}, 56);
        end();
        assert_int_equal(parse(), 0);
        assert_true(boot_notes_have("EFI memory map at"));
        assert_int_equal(info.nr_memory, 2);
    }
}

static void efi32_system_table_counts_after_efi64(void **state)
{
    for (int order = 0; order < 2; order++) {
        begin();
        put_plain_map();
        if (order == 0)
            put_tag(MULTIBOOT2_TAG_EFI32_SYSTEM_TABLE, (uint32_t[]){0x1000}, 4);
        put_tag(MULTIBOOT2_TAG_EFI64_SYSTEM_TABLE, (uint64_t[]){0x2000}, 8);
        if (order == 1)
            put_tag(MULTIBOOT2_TAG_EFI32_SYSTEM_TABLE, (uint32_t[]){0x1000}, 4);
        end();
        assert_int_equal(parse(), 0);
        assert_int_equal(info.efi_system_table.value, 0x2000);
    }
}

static void modules_out_of_place_are_left_out(void **state)
{
    begin();
    put_module(0x200000, 0x201000, "good");
    put_module(0x300000, 0x300000, "empty");
    put_module(0x300000, 0x200000, "backwards");
    put_module(0x90000000, 0x90001000, "outside memory");
    put_module(0x1ffdf000, 0x1ffe1000, "across the end of memory");
    put_module(0x400000, 0x401000, "good too");
    put_plain_map();
    end();
    assert_int_equal(parse(), 0);
    assert_int_equal(info.nr_modules, 2);
    assert_string_equal(info.modules[0].command_line, "good");
    assert_string_equal(info.modules[1].command_line, "good too");
    assert_int_equal(boot_notes_count(), 4);
}

static void too_many_modules(void **state)
{
    begin();
    for (unsigned i = 0; i < BOOT_MODULES_MAX + 3; i++)
        put_module(0x200000 + i * 0x1000, 0x201000 + i * 0x1000, "m");
    put_plain_map();
    end();
    assert_int_equal(parse(), 0);
    assert_int_equal(info.nr_modules, BOOT_MODULES_MAX);
    assert_int_equal(boot_notes_count(), 3);
}

static void long_module_command_lines_are_cut(void **state)
{
    char text[200];

    memset(text, 'm', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    begin();
    put_module(0x200000, 0x201000, text);
    put_plain_map();
    end();
    assert_int_equal(parse(), 0);
    assert_int_equal(strlen(info.modules[0].command_line), sizeof(info.modules[0].command_line) - 1);
    assert_true(boot_notes_have("module at +0x8 is cut"));
}

static enum framebuffer_kind parse_framebuffer(struct multiboot2_framebuffer wire, struct multiboot2_rgb rgb)
{
    begin();
    put_plain_map();
    put_framebuffer(wire, rgb);
    end();
    assert_int_equal(parse(), 0);
    assert_int_equal(boot_notes_count(), info.framebuffer.kind == FRAMEBUFFER_NONE);
    return info.framebuffer.kind;
}

static const struct multiboot2_rgb rgb888 = {16, 8, 8, 8, 0, 8};
static const struct multiboot2_rgb rgb565 = {11, 5, 5, 6, 0, 5};

static void framebuffers_that_can_be_used(void **state)
{
    assert_int_equal(
        parse_framebuffer((struct multiboot2_framebuffer){{0}, 0xf0000000, 4096, 1024, 768, 32, 1, 0}, rgb888),
        FRAMEBUFFER_RGB);
    assert_int_equal(
        parse_framebuffer((struct multiboot2_framebuffer){{0}, 0xf0000000, 3072, 1024, 768, 24, 1, 0}, rgb888),
        FRAMEBUFFER_RGB);
    assert_int_equal(
        parse_framebuffer((struct multiboot2_framebuffer){{0}, 0xf0000000, 2048, 1024, 768, 16, 1, 0}, rgb565),
        FRAMEBUFFER_RGB);
    assert_int_equal(info.framebuffer.green_bits, 6);
    assert_int_equal(
        parse_framebuffer((struct multiboot2_framebuffer){{0}, 0x4000000000, 5120, 1280, 800, 32, 1, 0}, rgb888),
        FRAMEBUFFER_RGB);
    assert_int_equal(parse_framebuffer((struct multiboot2_framebuffer){{0}, 0xb8000, 160, 80, 25, 16, 2, 0}, rgb888),
                     FRAMEBUFFER_VGA_TEXT);
    assert_int_equal(info.framebuffer.width, 80);
}

static void framebuffers_that_cannot_be_used(void **state)
{
    static const struct multiboot2_framebuffer wrong[] = {
        {{0}, 0xa0000, 80, 640, 480, 1, 0, 0},        /* -vga none on BIOS */
        {{0}, 0xf0000000, 1024, 1024, 768, 8, 0, 0},  /* indexed */
        {{0}, 0xf0000000, 4096, 1024, 768, 32, 3, 0}, /* unknown type */
        {{0}, 0xf0000000, 4095, 1024, 768, 32, 1, 0}, /* rows longer than the pitch */
        {{0}, 0xf0000000, 4096, 0, 768, 32, 1, 0},    /* no width */
        {{0}, 0xf0000000, 4096, 1024, 0, 32, 1, 0},   /* no height */
        {{0}, 0xf0000000, 0xffffffff, 1024, 768, 32, 1, 0},
        {{0}, 0xf0000000, 4096, 0x40000000, 768, 32, 1, 0}, /* width * 4 overflows */
        {{0}, 0xf0000000, 4096, 1024, 0xffffffff, 32, 1, 0},
        {{0}, 0, 4096, 1024, 768, 32, 1, 0},
        {{0}, UINT64_MAX, 4096, 1024, 768, 32, 1, 0},
        {{0}, MEMORY_MAP_LIMIT - 4096, 4096, 1024, 768, 32, 1, 0},
        {{0}, 0xf0000000, 4096, 1024, 768, 31, 1, 0},
        {{0}, 0xf0000000, 4096, 1024, 768, 0, 1, 0},
        {{0}, 0x1ff00000, 4096, 1024, 768, 32, 1, 0}, /* in usable memory */
        {{0}, 0x20000, 159, 80, 25, 16, 2, 0},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_int_equal(parse_framebuffer(wrong[i], rgb888), FRAMEBUFFER_NONE);
}

static void colour_masks_outside_the_pixel(void **state)
{
    static const struct multiboot2_rgb wrong[] = {
        {32, 8, 8, 8, 0, 8}, {25, 8, 8, 8, 0, 8}, {16, 0, 8, 8, 0, 8}, {16, 8, 8, 9, 0, 8}, {16, 8, 8, 8, 255, 255},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_int_equal(
            parse_framebuffer((struct multiboot2_framebuffer){{0}, 0xf0000000, 4096, 1024, 768, 32, 1, 0}, wrong[i]),
            FRAMEBUFFER_NONE);
}

static void framebuffer_without_its_colours(void **state)
{
    struct {
        struct multiboot2_framebuffer wire;
        struct multiboot2_rgb rgb;
    } payload = {{{0}, 0xf0000000, 4096, 1024, 768, 32, 1, 0}, rgb888};

    begin();
    put_tag(MULTIBOOT2_TAG_FRAMEBUFFER, (uint8_t *)&payload + 8, 24 + 5);
    put_plain_map();
    end();
    assert_int_equal(parse(), 0);
    assert_int_equal(info.framebuffer.kind, FRAMEBUFFER_NONE);
}

static void rsdp_copies_that_are_wrong(void **state)
{
    for (unsigned at = 0; at < 36; at++) {
        begin();
        put_plain_map();
        put_rsdp(MULTIBOOT2_TAG_ACPI_NEW, sizeof(struct rsdp));
        bytes[size - 40 + at]++;
        end();
        assert_int_equal(parse(), 0);
        assert_int_equal(info.rsdp_copy_length, 0);
        assert_true(boot_notes_have("RSDP copy at"));
    }
}

static void new_rsdp_wins_in_any_order(void **state)
{
    begin();
    put_plain_map();
    put_rsdp(MULTIBOOT2_TAG_ACPI_NEW, sizeof(struct rsdp));
    put_rsdp(MULTIBOOT2_TAG_ACPI_OLD, sizeof(struct rsdp_v1));
    end();
    assert_int_equal(parse(), 0);
    assert_int_equal(info.rsdp_copy_length, 36);
}

static void any_single_byte_changed(void **state)
{
    uint32_t whole;

    begin();
    put_text(MULTIBOOT2_TAG_COMMAND_LINE, "keel.panic=exit");
    put_module(0x200000, 0x201000, "m");
    put_plain_map();
    put_efi_map(&(struct efi_memory_descriptor){6, 0, 0x100000, 0, 16, 0}, 1, 48);
    put_framebuffer((struct multiboot2_framebuffer){{0}, 0xfd000000, 5120, 1280, 800, 32, 1, 0}, rgb888);
    end();
    whole = size;
    for (uint32_t at = 0; at < whole; at++) {
        uint8_t old = bytes[at];

        for (unsigned bit = 0; bit < 8; bit++) {
            bytes[at] = (uint8_t)(old ^ (1u << bit));
            if (parse() == 0)
                assert_in_range(info.nr_memory, 1, BOOT_MEMORY_MAX);
        }
        bytes[at] = old;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grub_on_bios),
        cmocka_unit_test(grub_on_uefi),
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
        cmocka_unit_test(no_memory_map),
        cmocka_unit_test(no_usable_memory),
        cmocka_unit_test(other_entry_sizes),
        cmocka_unit_test(map_that_ends_inside_an_entry),
        cmocka_unit_test(unknown_entry_version_is_said),
        cmocka_unit_test(hundred_thousand_entries),
        cmocka_unit_test(hundred_thousand_random_entries),
        cmocka_unit_test(efi_map_stands_in_for_the_other),
        cmocka_unit_test(efi_map_with_a_wrong_descriptor_size),
        cmocka_unit_test(efi32_system_table_counts_after_efi64),
        cmocka_unit_test(modules_out_of_place_are_left_out),
        cmocka_unit_test(too_many_modules),
        cmocka_unit_test(long_module_command_lines_are_cut),
        cmocka_unit_test(framebuffers_that_can_be_used),
        cmocka_unit_test(framebuffers_that_cannot_be_used),
        cmocka_unit_test(colour_masks_outside_the_pixel),
        cmocka_unit_test(framebuffer_without_its_colours),
        cmocka_unit_test(rsdp_copies_that_are_wrong),
        cmocka_unit_test(new_rsdp_wins_in_any_order),
        cmocka_unit_test(any_single_byte_changed),
    };

    return cmocka_run_group_tests_name("multiboot2", tests, NULL, NULL);
}
