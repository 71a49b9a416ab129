/* The fixed description table (ACPI 6.5 5.2.9), whichever revision, in one form. */
#pragma once

#include <base/address.h>
#include <base/compiler.h>
#include <base/types.h>
#include <hw/acpi.h>

/* A register block; address 0: there is none. */
struct acpi_register {
    enum acpi_space space; /* ACPI_SPACE_MEMORY or ACPI_SPACE_IO */
    uint64_t address;
    uint8_t width_bits; /* 8, 16, 32 or 64: of one access */
};

struct acpi_fixed {
    uint8_t revision;
    uint32_t flags; /* ACPI_FADT_* */
    uint16_t sci_irq;
    uint16_t smi_command_port; /* 0: the machine is in ACPI mode for ever */
    uint8_t acpi_enable;
    struct acpi_register pm1a_control, pm1b_control, pm_timer, reset, sleep_control, sleep_status;
    uint8_t reset_value;
    uint8_t rtc_century; /* index in CMOS memory; 0: none */
    bool has_8042;       /* true too where the table is too old to say */
    bool has_cmos_rtc, may_use_msi;
    paddr_t dsdt;
};

/* Decodes a checked table's bytes. Returns 0, or -EBADMSG where it is shorter than ACPI 1.0's. Pure. Context: any. */
MUST_CHECK int acpi_fadt_decode(const struct acpi_header *fadt, struct acpi_fixed *fixed);

/* This machine's, or NULL without ACPI. Context: any, after acpi_init. */
const struct acpi_fixed *acpi_fixed(void);
