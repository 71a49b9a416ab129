#include <base/align.h>
#include <base/errno.h>
#include <boot/multiboot2.h>
#include <boot/report.h>
#include <hw/multiboot2.h>
#include <hw/rsdp.h>
#include <lib/string.h>

#include "multiboot2_tags.h"
#include "text.h"

static INIT void read_command_line(struct multiboot2_reader *reader, const struct multiboot2_tag_bytes *tag)
{
    struct boot_info *out = reader->out;

    if (!boot_copy_text(out->command_line, sizeof(out->command_line), tag->bytes + sizeof(struct multiboot2_tag),
                        tag->size - sizeof(struct multiboot2_tag)))
        boot_note("multiboot2: command line at +%#x has no end or is longer than %zu: cut", tag->offset,
                  sizeof(out->command_line) - 1);
}

static INIT void read_loader_name(struct multiboot2_reader *reader, const struct multiboot2_tag_bytes *tag)
{
    struct boot_info *out = reader->out;

    if (!boot_copy_text(out->loader_name, sizeof(out->loader_name), tag->bytes + sizeof(struct multiboot2_tag),
                        tag->size - sizeof(struct multiboot2_tag)))
        boot_note("multiboot2: loader name at +%#x has no end or is longer than %zu: cut", tag->offset,
                  sizeof(out->loader_name) - 1);
}

static INIT void read_module(struct multiboot2_reader *reader, const struct multiboot2_tag_bytes *tag)
{
    struct boot_info *out = reader->out;
    struct multiboot2_module wire;
    struct boot_module *module = &out->modules[out->nr_modules];

    memcpy(&wire, tag->bytes, sizeof(wire));
    if (wire.start >= wire.end) {
        boot_note("multiboot2: module at +%#x from %#x to %#x is empty: left out", tag->offset, wire.start, wire.end);
        return;
    }
    if (out->nr_modules == BOOT_MODULES_MAX) {
        boot_note("multiboot2: module at +%#x is one more than %d: left out", tag->offset, BOOT_MODULES_MAX);
        return;
    }
    module->base = paddr(wire.start);
    module->length_bytes = wire.end - wire.start;
    if (!boot_copy_text(module->command_line, sizeof(module->command_line), tag->bytes + sizeof(wire),
                        tag->size - sizeof(wire)))
        boot_note("multiboot2: command line of the module at +%#x is cut", tag->offset);
    out->nr_modules++;
}

static INIT void read_efi32_system_table(struct multiboot2_reader *reader, const struct multiboot2_tag_bytes *tag)
{
    uint32_t address;

    memcpy(&address, tag->bytes + sizeof(struct multiboot2_tag), sizeof(address));
    reader->out->firmware = FIRMWARE_UEFI;
    if (reader->out->efi_system_table.value == 0)
        reader->out->efi_system_table = paddr(address);
}

static INIT void read_efi64_system_table(struct multiboot2_reader *reader, const struct multiboot2_tag_bytes *tag)
{
    reader->out->firmware = FIRMWARE_UEFI;
    memcpy(&reader->out->efi_system_table.value, tag->bytes + sizeof(struct multiboot2_tag), sizeof(uint64_t));
}

/* Keeps the copy when it carries the signature and its bytes sum to 0 (ACPI 6.5 5.2.5.3). */
static INIT void keep_rsdp(struct multiboot2_reader *reader, const struct multiboot2_tag_bytes *tag, uint8_t size)
{
    const uint8_t *copy = tag->bytes + sizeof(struct multiboot2_tag);
    uint8_t sum = 0;

    for (unsigned i = 0; i < size; i++)
        sum = (uint8_t)(sum + copy[i]);
    if (memcmp(copy, RSDP_SIGNATURE, RSDP_SIGNATURE_SIZE) != 0 || sum != 0) {
        boot_note("multiboot2: RSDP copy at +%#x has a wrong signature or checksum: left out", tag->offset);
        return;
    }
    if (reader->out->rsdp_copy_length > size)
        return;
    memcpy(reader->out->rsdp_copy, copy, size);
    reader->out->rsdp_copy_length = size;
}

static INIT void read_acpi_old(struct multiboot2_reader *reader, const struct multiboot2_tag_bytes *tag)
{
    keep_rsdp(reader, tag, sizeof(struct rsdp_v1));
}

static INIT void read_acpi_new(struct multiboot2_reader *reader, const struct multiboot2_tag_bytes *tag)
{
    keep_rsdp(reader, tag, sizeof(struct rsdp));
}

static INIT void read_efi_memory_map(struct multiboot2_reader *reader, const struct multiboot2_tag_bytes *tag)
{
    reader->out->firmware = FIRMWARE_UEFI;
    reader->efi_memory_map = *tag;
}

static INIT void read_boot_services(struct multiboot2_reader *reader, const struct multiboot2_tag_bytes *tag)
{
    boot_note("multiboot2: tag at +%#x says EFI boot services still run", tag->offset);
    reader->out->firmware = FIRMWARE_UEFI;
    reader->boot_services_run = true;
}

static INIT void read_load_base(struct multiboot2_reader *reader, const struct multiboot2_tag_bytes *tag)
{
    uint32_t base;

    memcpy(&base, tag->bytes + sizeof(struct multiboot2_tag), sizeof(base));
    reader->out->load_base = paddr(base);
}

/* Types not listed here carry nothing the kernel wants and are passed over in silence. */
static const struct tag_kind {
    uint32_t type;
    uint32_t size_min; /* with the header */
    bool may_repeat;
    const char *name;
    void (*read)(struct multiboot2_reader *reader, const struct multiboot2_tag_bytes *tag);
} tag_kinds[] = {
    {MULTIBOOT2_TAG_COMMAND_LINE, 8, false, "command line", read_command_line},
    {MULTIBOOT2_TAG_LOADER_NAME, 8, false, "loader name", read_loader_name},
    {MULTIBOOT2_TAG_MODULE, sizeof(struct multiboot2_module), true, "module", read_module},
    {MULTIBOOT2_TAG_MEMORY_MAP, sizeof(struct multiboot2_memory_map), false, "memory map", multiboot2_read_memory_map},
    {MULTIBOOT2_TAG_FRAMEBUFFER, sizeof(struct multiboot2_framebuffer), false, "framebuffer",
     multiboot2_read_framebuffer},
    {MULTIBOOT2_TAG_EFI32_SYSTEM_TABLE, 12, false, "EFI system table", read_efi32_system_table},
    {MULTIBOOT2_TAG_EFI64_SYSTEM_TABLE, 16, false, "EFI system table", read_efi64_system_table},
    {MULTIBOOT2_TAG_ACPI_OLD, 8 + sizeof(struct rsdp_v1), false, "RSDP copy", read_acpi_old},
    {MULTIBOOT2_TAG_ACPI_NEW, 8 + sizeof(struct rsdp), false, "RSDP copy", read_acpi_new},
    {MULTIBOOT2_TAG_EFI_MEMORY_MAP, sizeof(struct multiboot2_efi_memory_map), false, "EFI memory map",
     read_efi_memory_map},
    {MULTIBOOT2_TAG_EFI_BOOT_SERVICES, 8, false, "EFI boot services", read_boot_services},
    {MULTIBOOT2_TAG_LOAD_BASE, 12, false, "load base", read_load_base},
};
static_assert(ARRAY_SIZE(tag_kinds) <= 32, "read_tag keeps one bit for each");

static INIT void read_tag(struct multiboot2_reader *reader, uint32_t type, const struct multiboot2_tag_bytes *tag,
                          uint32_t *seen)
{
    for (unsigned i = 0; i < ARRAY_SIZE(tag_kinds); i++) {
        const struct tag_kind *kind = &tag_kinds[i];

        if (kind->type != type)
            continue;
        if (tag->size < kind->size_min)
            boot_note("multiboot2: tag at +%#x (%s) has %u bytes, not %u: left out", tag->offset, kind->name, tag->size,
                      kind->size_min);
        else if ((*seen & (1u << i)) && !kind->may_repeat)
            boot_note("multiboot2: tag at +%#x is a second %s: left out", tag->offset, kind->name);
        else
            kind->read(reader, tag);
        *seen |= 1u << i;
    }
}

/* Every step moves on by at least a tag header, so any bytes come to an end. */
static INIT void read_tags(struct multiboot2_reader *reader, const uint8_t *info, uint32_t total_size)
{
    uint32_t seen = 0;

    for (uint32_t offset = sizeof(struct multiboot2_info); total_size - offset >= sizeof(struct multiboot2_tag);) {
        struct multiboot2_tag tag;

        memcpy(&tag, info + offset, sizeof(tag));
        if (tag.type == MULTIBOOT2_TAG_END)
            return;
        if (tag.size < sizeof(tag) || tag.size > total_size - offset) {
            boot_note("multiboot2: tag at +%#x (type %u) has impossible size %u: reading ends here", offset, tag.type,
                      tag.size);
            return;
        }
        read_tag(reader, tag.type, &(struct multiboot2_tag_bytes){info + offset, tag.size, offset}, &seen);
        if (total_size - offset - tag.size < MULTIBOOT2_ALIGNMENT)
            break;
        offset = (uint32_t)align_up(offset + tag.size, MULTIBOOT2_ALIGNMENT);
    }
    boot_note("multiboot2: no end tag in %u bytes", total_size);
}

INIT int multiboot2_parse(const void *info, size_t available, struct boot_info *out)
{
    struct multiboot2_reader reader = {.out = out};
    struct multiboot2_info header;

    if (available < sizeof(header))
        return boot_error(-EBADMSG, "multiboot2: boot information cut off after %zu bytes", available);
    memcpy(&header, info, sizeof(header));
    if (header.total_size < sizeof(header) || header.total_size > available)
        return boot_error(-EBADMSG, "multiboot2: boot information claims %u bytes of %zu", header.total_size,
                          available);

    memset(out, 0, sizeof(*out));
    out->protocol = BOOT_PROTOCOL_MULTIBOOT2;
    out->firmware = FIRMWARE_BIOS;
    out->loader_info_length = header.total_size;
    memory_map_start(&reader.map, out->memory, BOOT_MEMORY_MAX);
    read_tags(&reader, info, header.total_size);
    multiboot2_use_efi_memory_map(&reader);
    out->nr_memory = memory_map_finish(&reader.map);
    return boot_info_check(out);
}
