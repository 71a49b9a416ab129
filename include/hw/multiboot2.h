/* The Multiboot2 boot information as a loader leaves it in memory (Multiboot2 Specification 2.0, section 3.6). Wire
 * format only: every field is little endian and none can be trusted; boot/multiboot2.c reads it. */
#pragma once

#include <base/assert.h>
#include <base/types.h>

#define MULTIBOOT2_LOADER_MAGIC 0x36d76289u /* in EAX at entry, 3.3 */
#define MULTIBOOT2_ALIGNMENT    8u          /* of the information and of each tag in it, 3.6.1 */

/* Tag types, 3.6.2 to 3.6.19. */
enum multiboot2_tag_type {
    MULTIBOOT2_TAG_END = 0,
    MULTIBOOT2_TAG_COMMAND_LINE = 1,
    MULTIBOOT2_TAG_LOADER_NAME = 2,
    MULTIBOOT2_TAG_MODULE = 3,
    MULTIBOOT2_TAG_MEMORY_MAP = 6,
    MULTIBOOT2_TAG_FRAMEBUFFER = 8,
    MULTIBOOT2_TAG_EFI32_SYSTEM_TABLE = 11,
    MULTIBOOT2_TAG_EFI64_SYSTEM_TABLE = 12,
    MULTIBOOT2_TAG_ACPI_OLD = 14,
    MULTIBOOT2_TAG_ACPI_NEW = 15,
    MULTIBOOT2_TAG_EFI_MEMORY_MAP = 17,
    MULTIBOOT2_TAG_EFI_BOOT_SERVICES = 18,
    MULTIBOOT2_TAG_LOAD_BASE = 21,
};

/* The fixed part, 3.6.1; tags follow. */
struct multiboot2_info {
    uint32_t total_size; /* bytes, this header and the end tag included */
    uint32_t reserved;
};
static_assert(sizeof(struct multiboot2_info) == 8, "Multiboot2 3.6.1");

/* How every tag begins. size leaves out the padding up to the next tag. */
struct multiboot2_tag {
    uint32_t type;
    uint32_t size;
};
static_assert(sizeof(struct multiboot2_tag) == 8, "Multiboot2 3.6.1");

/* 3.6.6; a terminated command line follows. */
struct multiboot2_module {
    struct multiboot2_tag tag;
    uint32_t start;
    uint32_t end; /* one past the last byte */
};
static_assert(sizeof(struct multiboot2_module) == 16, "Multiboot2 3.6.6");
static_assert(offsetof(struct multiboot2_module, start) == 8, "Multiboot2 3.6.6");
static_assert(offsetof(struct multiboot2_module, end) == 12, "Multiboot2 3.6.6");

/* 3.6.8; entries of entry_size bytes follow. */
struct multiboot2_memory_map {
    struct multiboot2_tag tag;
    uint32_t entry_size;
    uint32_t entry_version;
};
static_assert(sizeof(struct multiboot2_memory_map) == 16, "Multiboot2 3.6.8");
static_assert(offsetof(struct multiboot2_memory_map, entry_size) == 8, "Multiboot2 3.6.8");

struct multiboot2_memory_entry {
    uint64_t base;
    uint64_t length;
    uint32_t type; /* as ACPI's address range types, see hw/address_range.h */
    uint32_t reserved;
};
static_assert(sizeof(struct multiboot2_memory_entry) == 24, "Multiboot2 3.6.8");
static_assert(offsetof(struct multiboot2_memory_entry, length) == 8, "Multiboot2 3.6.8");
static_assert(offsetof(struct multiboot2_memory_entry, type) == 16, "Multiboot2 3.6.8");

enum multiboot2_framebuffer_type {
    MULTIBOOT2_FRAMEBUFFER_INDEXED = 0,
    MULTIBOOT2_FRAMEBUFFER_RGB = 1,
    MULTIBOOT2_FRAMEBUFFER_TEXT = 2,
};

/* 3.6.12; the colour description of the type follows. */
struct multiboot2_framebuffer {
    struct multiboot2_tag tag;
    uint64_t address;
    uint32_t pitch;
    uint32_t width;
    uint32_t height;
    uint8_t bits_per_pixel;
    uint8_t type;
    uint16_t reserved;
};
static_assert(sizeof(struct multiboot2_framebuffer) == 32, "Multiboot2 3.6.12");
static_assert(offsetof(struct multiboot2_framebuffer, address) == 8, "Multiboot2 3.6.12");
static_assert(offsetof(struct multiboot2_framebuffer, pitch) == 16, "Multiboot2 3.6.12");
static_assert(offsetof(struct multiboot2_framebuffer, width) == 20, "Multiboot2 3.6.12");
static_assert(offsetof(struct multiboot2_framebuffer, height) == 24, "Multiboot2 3.6.12");
static_assert(offsetof(struct multiboot2_framebuffer, bits_per_pixel) == 28, "Multiboot2 3.6.12");
static_assert(offsetof(struct multiboot2_framebuffer, type) == 29, "Multiboot2 3.6.12");

/* The colour description of MULTIBOOT2_FRAMEBUFFER_RGB. */
struct multiboot2_rgb {
    uint8_t red_position, red_size;
    uint8_t green_position, green_size;
    uint8_t blue_position, blue_size;
};
static_assert(sizeof(struct multiboot2_rgb) == 6, "Multiboot2 3.6.12");

/* 3.6.17; descriptors of descriptor_size bytes follow (UEFI 2.10 7.2.3, hw/efi.h). */
struct multiboot2_efi_memory_map {
    struct multiboot2_tag tag;
    uint32_t descriptor_size;
    uint32_t descriptor_version;
};
static_assert(sizeof(struct multiboot2_efi_memory_map) == 16, "Multiboot2 3.6.17");
static_assert(offsetof(struct multiboot2_efi_memory_map, descriptor_size) == 8, "Multiboot2 3.6.17");
static_assert(offsetof(struct multiboot2_efi_memory_map, descriptor_version) == 12, "Multiboot2 3.6.17");
