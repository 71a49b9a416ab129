/* What a device uses and a bridge passes on: the descriptors of a _CRS (ACPI 6.5 6.4). Pure. Context: any. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

enum acpi_resource_kind {
    ACPI_RESOURCE_MEMORY,
    ACPI_RESOURCE_IO,
    ACPI_RESOURCE_BUS, /* bus numbers */
    ACPI_RESOURCE_INTERRUPT,
};

struct acpi_resource {
    enum acpi_resource_kind kind;
    uint64_t base,
        length;     /* length is not 0, and base + length does not wrap. An interrupt: its GSI, the first of several */
    bool is_window; /* passed on to what is behind, not the device's own */
    bool is_level, is_active_low; /* an interrupt */
};

/* Steps through descriptors; *cursor begins as 0. False past the last, or the end tag. Empty and translated ranges,
 * inconsistent ones, and kinds not named above, are passed over; one whose length leads nowhere ends the walk. */
bool acpi_resource_next(const uint8_t *bytes, uint32_t length_bytes, uint32_t *cursor, struct acpi_resource *resource);
