/* Registers of the I/O APIC (Intel 82093AA data sheet, 3.0). */
#pragma once

#include <base/assert.h>
#include <dev/register.h>

/* In memory. */
struct ioapic_registers {
    reg32 select;
    reg32 reserved_04[3];
    reg32 window;
};
static_assert(sizeof(struct ioapic_registers) == 0x14, "82093AA 3.1");
static_assert(offsetof(struct ioapic_registers, select) == 0x00, "82093AA 3.1.1");
static_assert(offsetof(struct ioapic_registers, window) == 0x10, "82093AA 3.1.2");

/* Behind the window. */
#define IOAPIC_REGISTER_VERSION  0x01 /* bits 0 to 7: version; 16 to 23: the last input */
#define IOAPIC_REGISTER_REDIRECT 0x10 /* two for each input, low half first */

#define IOAPIC_ACTIVE_LOW        (1u << 13)
#define IOAPIC_LEVEL             (1u << 15)
#define IOAPIC_MASKED            (1u << 16)
#define IOAPIC_DESTINATION_SHIFT 24 /* of the high half */

#define IOAPIC_DEFAULT_ADDRESS 0xfec00000u /* MultiProcessor Specification 1.4, 3.6.5 */
#define IOAPIC_INPUTS_MAX      120u        /* as many as an 8-bit index reaches, two registers each */
