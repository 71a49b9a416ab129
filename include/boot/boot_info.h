/* What the firmware and the loader told us, in one form for every boot protocol. The parsers under boot/ fill it from
 * hostile bytes; after boot_info_init nothing else reads the loader's own structures.
 *
 * Ownership: one static instance, [I] once boot_info_init has returned. */
#pragma once

#include <base/address.h>
#include <base/compiler.h>
#include <base/types.h>

enum boot_protocol { BOOT_PROTOCOL_MULTIBOOT2, BOOT_PROTOCOL_PVH };
enum firmware_kind { FIRMWARE_UNKNOWN, FIRMWARE_BIOS, FIRMWARE_UEFI };

/* What a range of physical memory is. Higher values win where firmware entries overlap. */
enum memory_kind {
    MEMORY_USABLE,
    MEMORY_ACPI_RECLAIMABLE,
    MEMORY_ACPI_NVS,
    MEMORY_RESERVED, /* and every type we do not know */
    MEMORY_BAD,
};

/* After sanitising: sorted by base, not overlapping, not empty, neighbours of one kind merged; MEMORY_USABLE ranges are
 * whole pages (rounded inwards). */
struct memory_range {
    paddr_t base;
    uint64_t length_bytes;
    enum memory_kind kind;
};

enum framebuffer_kind { FRAMEBUFFER_NONE, FRAMEBUFFER_RGB, FRAMEBUFFER_VGA_TEXT };

struct framebuffer_info {
    enum framebuffer_kind kind;
    paddr_t base;
    uint32_t width, height; /* pixels, or characters for FRAMEBUFFER_VGA_TEXT */
    uint32_t pitch_bytes;
    uint8_t bits_per_pixel; /* 15, 16, 24 or 32; 16 for FRAMEBUFFER_VGA_TEXT */
    uint8_t red_shift, red_bits, green_shift, green_bits, blue_shift, blue_bits;
};

struct boot_module {
    paddr_t base;
    uint64_t length_bytes;
    char command_line[128]; /* always terminated; cut where the loader's is longer */
};

#define BOOT_COMMAND_LINE_MAX 2048
#define BOOT_MODULES_MAX      16
#define BOOT_MEMORY_MAX       256 /* sanitised ranges; the rest of a larger map is treated as reserved, and said */

struct boot_info {
    enum boot_protocol protocol;
    enum firmware_kind firmware;
    char loader_name[64];
    char command_line[BOOT_COMMAND_LINE_MAX];
    struct memory_range memory[BOOT_MEMORY_MAX];
    unsigned nr_memory;
    struct boot_module modules[BOOT_MODULES_MAX];
    unsigned nr_modules;
    struct framebuffer_info framebuffer;
    paddr_t rsdp;          /* where the firmware has it; 0 when not told */
    uint8_t rsdp_copy[36]; /* what the loader copied of it; rsdp_copy_length 0 when not told */
    uint8_t rsdp_copy_length;
    paddr_t efi_system_table; /* 0 on BIOS */
    paddr_t load_base;        /* where the loader says it put the kernel; 0 when not told */
    paddr_t loader_info;      /* the loader's own structure, to be reserved until boot is over */
    uint64_t loader_info_length;
};

/* Reads what the loader left at this physical address into the instance of this boot. protocol is an enum
 * boot_protocol, as the entry code found it. Needs the first 4 GiB at PHYSMAP_BASE. What is odd goes to boot/report.h,
 * and so do the words for each error: -EINVAL unknown protocol, wrong magic or address, -EBADMSG truncated, -ENOENT no
 * memory map, -ENOMEM no usable memory. Context: init, once. */
MUST_CHECK int boot_info_init(uint32_t protocol, uint64_t info_physical);

/* "Multiboot2", "PVH"; "BIOS", "UEFI", "unknown firmware". Context: any. */
const char *boot_protocol_name(enum boot_protocol protocol);
const char *firmware_name(enum firmware_kind firmware);

/* The instance of this boot. Any context, after boot_info_init. */
const struct boot_info *boot_info(void);

/* Holds a filled structure against itself, as every parser's last step: there is usable memory; modules lie in it, the
 * framebuffer does not; what fails is dropped and noted. Returns 0, -ENOENT without any memory map, -ENOMEM without
 * usable memory. Context: init. */
MUST_CHECK int boot_info_check(struct boot_info *info);
