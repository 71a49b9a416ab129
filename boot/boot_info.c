#include <base/align.h>
#include <base/errno.h>
#include <base/layout.h>
#include <boot/boot_info.h>
#include <boot/command_line.h>
#include <boot/multiboot2.h>
#include <boot/physical_memory.h>
#include <boot/pvh.h>
#include <boot/report.h>
#include <hw/multiboot2.h>
#include <lib/string.h>

#define EARLY_PHYSMAP_SIZE GIB(4) /* what boot/entry.asm maps at PHYSMAP_BASE */

static READ_ONLY_AFTER_INIT struct boot_info this_boot;

/* Loaders put their structures below 4 GiB: both protocols enter in 32-bit mode. */
static INIT const void *early_pointer(uint64_t physical)
{
    return (const void *)(uintptr_t)(PHYSMAP_BASE + physical);
}

static INIT bool read_early_physmap(const struct physical_memory *memory, paddr_t address, void *to, size_t size)
{
    (void)memory;
    if (address.value >= EARLY_PHYSMAP_SIZE || size > EARLY_PHYSMAP_SIZE - address.value)
        return false;
    memcpy(to, early_pointer(address.value), size);
    return true;
}

static INIT int parse_multiboot2(uint64_t physical)
{
    if (physical == 0 || physical >= EARLY_PHYSMAP_SIZE || !is_aligned(physical, MULTIBOOT2_ALIGNMENT))
        return boot_error(-EINVAL, "multiboot2: no boot information can be at %#llx", (unsigned long long)physical);
    return multiboot2_parse(early_pointer(physical), EARLY_PHYSMAP_SIZE - physical, &this_boot);
}

static INIT int parse(uint32_t protocol, uint64_t physical)
{
    static const struct physical_memory memory = {.read = read_early_physmap};

    switch (protocol) {
    case BOOT_PROTOCOL_MULTIBOOT2:
        return parse_multiboot2(physical);
    case BOOT_PROTOCOL_PVH:
        return pvh_parse(&memory, paddr(physical), &this_boot);
    default:
        return boot_error(-EINVAL, "protocol %u is not known", protocol);
    }
}

INIT int boot_info_init(uint32_t protocol, uint64_t info_physical)
{
    int error = parse(protocol, info_physical);

    if (error < 0)
        return error;
    this_boot.loader_info = paddr(info_physical);
    command_line_check(this_boot.command_line);
    boot_report_end();
    return 0;
}

const char *boot_protocol_name(enum boot_protocol protocol)
{
    return protocol == BOOT_PROTOCOL_MULTIBOOT2 ? "Multiboot2" : "PVH";
}

const char *firmware_name(enum firmware_kind firmware)
{
    static const char *const names[] = {
        [FIRMWARE_UNKNOWN] = "unknown firmware", [FIRMWARE_BIOS] = "BIOS", [FIRMWARE_UEFI] = "UEFI"};

    return names[firmware];
}

const struct boot_info *boot_info(void)
{
    return &this_boot;
}
