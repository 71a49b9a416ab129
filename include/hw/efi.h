/* The EFI memory map (UEFI 2.10 7.2.3). Wire format only. */
#pragma once

#include <base/assert.h>
#include <base/types.h>

#define EFI_PAGE_SHIFT 12u

/* Firmware may make descriptors longer (OVMF: 48 bytes): step by the size that comes with the map, never by sizeof. */
struct efi_memory_descriptor {
    uint32_t type;
    uint32_t padding;
    uint64_t physical_start;
    uint64_t virtual_start;
    uint64_t nr_pages;
    uint64_t attribute;
};
static_assert(sizeof(struct efi_memory_descriptor) == 40, "UEFI 2.10 7.2.3");
static_assert(offsetof(struct efi_memory_descriptor, physical_start) == 8, "UEFI 2.10 7.2.3");
static_assert(offsetof(struct efi_memory_descriptor, virtual_start) == 16, "UEFI 2.10 7.2.3");
static_assert(offsetof(struct efi_memory_descriptor, nr_pages) == 24, "UEFI 2.10 7.2.3");
static_assert(offsetof(struct efi_memory_descriptor, attribute) == 32, "UEFI 2.10 7.2.3");

/* UEFI 2.10 7.2.1, table 7.6: what each type means after ExitBootServices is table 7.10. */
enum efi_memory_type {
    EFI_LOADER_CODE = 1,
    EFI_LOADER_DATA = 2,
    EFI_BOOT_SERVICES_CODE = 3,
    EFI_BOOT_SERVICES_DATA = 4,
    EFI_CONVENTIONAL_MEMORY = 7,
    EFI_UNUSABLE_MEMORY = 8,
    EFI_ACPI_RECLAIM_MEMORY = 9,
    EFI_ACPI_MEMORY_NVS = 10,
};
