/* ACPI's root system description pointer (ACPI 6.5 5.2.5.3). Wire format only. */
#pragma once

#include <base/assert.h>
#include <base/compiler.h>
#include <base/types.h>

#define RSDP_SIGNATURE      "RSD PTR " /* 8 bytes, not terminated */
#define RSDP_SIGNATURE_SIZE 8u

/* The ACPI 1.0 part, which `checksum` makes sum to 0. */
struct rsdp_v1 {
    uint8_t signature[RSDP_SIGNATURE_SIZE];
    uint8_t checksum;
    uint8_t oem_id[6];
    uint8_t revision; /* 0 for ACPI 1.0, 2 and up where struct rsdp follows in full */
    uint32_t rsdt;
};
static_assert(sizeof(struct rsdp_v1) == 20, "ACPI 6.5 5.2.5.3");
static_assert(offsetof(struct rsdp_v1, checksum) == 8, "ACPI 6.5 5.2.5.3");
static_assert(offsetof(struct rsdp_v1, oem_id) == 9, "ACPI 6.5 5.2.5.3");
static_assert(offsetof(struct rsdp_v1, revision) == 15, "ACPI 6.5 5.2.5.3");
static_assert(offsetof(struct rsdp_v1, rsdt) == 16, "ACPI 6.5 5.2.5.3");

/* From ACPI 2.0 on; `extended_checksum` makes the whole of it sum to 0. */
struct PACKED rsdp {
    struct rsdp_v1 v1;
    uint32_t length;
    uint64_t xsdt;
    uint8_t extended_checksum;
    uint8_t reserved[3];
};
static_assert(sizeof(struct rsdp) == 36, "ACPI 6.5 5.2.5.3");
static_assert(offsetof(struct rsdp, length) == 20, "ACPI 6.5 5.2.5.3");
static_assert(offsetof(struct rsdp, xsdt) == 24, "ACPI 6.5 5.2.5.3");
static_assert(offsetof(struct rsdp, extended_checksum) == 32, "ACPI 6.5 5.2.5.3");
