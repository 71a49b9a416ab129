#include "multiboot2_builder.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include <base/align.h>
#include <boot/multiboot2.h>
#include <hw/rsdp.h>

#include "boot_notes.h"

uint8_t info_bytes[INFO_MAX];
uint32_t info_size;
struct boot_info info;

void begin_info(void)
{
    memset(info_bytes, 0, info_size);
    info_size = sizeof(struct multiboot2_info);
}

static void put(const void *from, size_t length)
{
    assert_true(info_size + length <= INFO_MAX);
    if (length != 0)
        memcpy(info_bytes + info_size, from, length);
    info_size += (uint32_t)length;
}

uint32_t put_tag(uint32_t type, const void *payload, size_t length)
{
    struct multiboot2_tag tag = {type, (uint32_t)(sizeof(tag) + length)};
    uint32_t offset = info_size;

    put(&tag, sizeof(tag));
    put(payload, length);
    info_size = (uint32_t)align_up(info_size, MULTIBOOT2_ALIGNMENT);
    return offset;
}

void put_text(uint32_t type, const char *text)
{
    put_tag(type, text, strlen(text) + 1);
}

void put_module(uint32_t start, uint32_t end, const char *text)
{
    uint8_t payload[300];

    memcpy(payload, (uint32_t[]){start, end}, 8);
    strcpy((char *)payload + 8, text);
    put_tag(MULTIBOOT2_TAG_MODULE, payload, 8 + strlen(text) + 1);
}

uint32_t put_memory_map(const struct multiboot2_memory_entry *entries, unsigned count, uint32_t entry_size)
{
    uint32_t offset = put_tag(MULTIBOOT2_TAG_MEMORY_MAP, (uint32_t[]){entry_size, 0}, 8);

    for (unsigned i = 0; i < count; i++) {
        put(&entries[i], entry_size < sizeof(entries[i]) ? entry_size : sizeof(entries[i]));
        info_size += entry_size > sizeof(entries[i]) ? entry_size - (uint32_t)sizeof(entries[i]) : 0;
    }
    ((struct multiboot2_tag *)(info_bytes + offset))->size = info_size - offset;
    info_size = (uint32_t)align_up(info_size, MULTIBOOT2_ALIGNMENT);
    return offset;
}

void put_efi_map(const struct efi_memory_descriptor *entries, unsigned count, uint32_t descriptor_size)
{
    uint32_t offset = put_tag(MULTIBOOT2_TAG_EFI_MEMORY_MAP, (uint32_t[]){descriptor_size, 1}, 8);

    for (unsigned i = 0; i < count; i++) {
        put(&entries[i], sizeof(entries[i]));
        info_size += descriptor_size - (uint32_t)sizeof(entries[i]);
    }
    ((struct multiboot2_tag *)(info_bytes + offset))->size = info_size - offset;
    info_size = (uint32_t)align_up(info_size, MULTIBOOT2_ALIGNMENT);
}

void put_framebuffer(struct multiboot2_framebuffer wire, struct multiboot2_rgb rgb)
{
    uint8_t payload[sizeof(wire) + sizeof(rgb)];

    memcpy(payload, &wire, sizeof(wire));
    memcpy(payload + sizeof(wire), &rgb, sizeof(rgb));
    put_tag(MULTIBOOT2_TAG_FRAMEBUFFER, payload + sizeof(wire.tag), sizeof(payload) - sizeof(wire.tag));
}

void put_rsdp(uint32_t type, size_t length)
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

void end_info(void)
{
    put_tag(MULTIBOOT2_TAG_END, NULL, 0);
    memcpy(info_bytes, &info_size, sizeof(info_size));
}

/* Parses exactly `available` info_bytes, at an odd address. */
int parse_cut(size_t available)
{
    uint8_t *copy = malloc(available + 1);
    int result;

    memcpy(copy + 1, info_bytes, available);
    boot_notes_start();
    memset(&info, 0xa5, sizeof(info));
    result = multiboot2_parse(copy + 1, available, &info);
    free(copy);
    return result;
}

int parse(void)
{
    return parse_cut(info_size);
}

const struct multiboot2_memory_entry plain_map[] = {{0, 0x9fc00, 1, 0}, {0x100000, 0x1fee0000, 1, 0}};

void put_plain_map(void)
{
    put_memory_map(plain_map, ARRAY_SIZE(plain_map), 24);
}
