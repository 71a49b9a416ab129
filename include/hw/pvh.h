/* The PVH start information a hypervisor leaves in guest memory (Xen public headers, arch-x86/hvm/start_info.h;
 * described in Xen's docs/misc/pvh.pandoc). Wire format only; boot/pvh.c reads it. */
#pragma once

#include <base/assert.h>
#include <base/types.h>

#define PVH_START_MAGIC 0x336ec578u /* "xEn3" with bit 7 of the E set */

/* Its physical address is in EBX at entry. Version 0 ends at memory_map. */
struct pvh_start_info {
    uint32_t magic;
    uint32_t version;
    uint32_t flags;
    uint32_t nr_modules;
    uint64_t modules;      /* physical address of struct pvh_module[], or 0 */
    uint64_t command_line; /* physical address of a terminated string, or 0 */
    uint64_t rsdp;         /* physical address, or 0 */
    uint64_t memory_map;   /* physical address of struct pvh_memory_entry[], or 0 */
    uint32_t nr_memory_entries;
    uint32_t reserved;
};
static_assert(sizeof(struct pvh_start_info) == 56, "start_info.h");
static_assert(offsetof(struct pvh_start_info, nr_modules) == 12, "start_info.h");
static_assert(offsetof(struct pvh_start_info, modules) == 16, "start_info.h");
static_assert(offsetof(struct pvh_start_info, command_line) == 24, "start_info.h");
static_assert(offsetof(struct pvh_start_info, rsdp) == 32, "start_info.h");
static_assert(offsetof(struct pvh_start_info, nr_memory_entries) == 48, "start_info.h");
static_assert(offsetof(struct pvh_start_info, memory_map) == 40, "start_info.h, version 0");

struct pvh_module {
    uint64_t base;
    uint64_t size;
    uint64_t command_line; /* physical address of a terminated string, or 0 */
    uint64_t reserved;
};
static_assert(sizeof(struct pvh_module) == 32, "start_info.h");
static_assert(offsetof(struct pvh_module, size) == 8, "start_info.h");
static_assert(offsetof(struct pvh_module, command_line) == 16, "start_info.h");

struct pvh_memory_entry {
    uint64_t base;
    uint64_t size;
    uint32_t type; /* as ACPI's address range types, see hw/address_range.h */
    uint32_t reserved;
};
static_assert(sizeof(struct pvh_memory_entry) == 24, "start_info.h");
static_assert(offsetof(struct pvh_memory_entry, size) == 8, "start_info.h");
static_assert(offsetof(struct pvh_memory_entry, type) == 16, "start_info.h");
