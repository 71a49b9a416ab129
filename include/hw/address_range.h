/* ACPI's address range types (ACPI 6.5 15.1, table 15.3), which Multiboot2 and PVH memory maps use too. Types not named
 * here exist (12 and 20 have been seen from GRUB) and mean memory that must be left alone. */
#pragma once

enum address_range_type {
    ADDRESS_RANGE_MEMORY = 1,
    ADDRESS_RANGE_RESERVED = 2,
    ADDRESS_RANGE_ACPI = 3,
    ADDRESS_RANGE_NVS = 4,
    ADDRESS_RANGE_UNUSABLE = 5,
};
