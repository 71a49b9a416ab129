/* Registers of the local APIC (SDM 3A table 11-1), as offsets in its page; in x2APIC mode register n is MSR 0x800 + n /
 * 16 (SDM 3A table 11-6). */
#pragma once

#include <base/assert.h>
#include <dev/register.h>

struct lapic_register {
    reg32 value;
    reg32 reserved_4[3];
};
static_assert(sizeof(struct lapic_register) == 16, "SDM 3A table 11-1");
static_assert(offsetof(struct lapic_register, value) == 0, "SDM 3A table 11-1");

#define MSR_APIC_BASE     0x1bu /* SDM 3A 11.4.4 */
#define APIC_BASE_X2APIC  (1u << 10)
#define APIC_BASE_ENABLE  (1u << 11)
#define APIC_BASE_ADDRESS 0x000ffffffffff000ull
#define MSR_X2APIC_BASE   0x800u
#define MSR_TSC_DEADLINE  0x6e0u /* SDM 3A 11.5.4.1 */

#define LAPIC_ID            0x020
#define LAPIC_VERSION       0x030 /* bits 16 to 23: the last LVT entry */
#define LAPIC_TPR           0x080
#define LAPIC_EOI           0x0b0
#define LAPIC_SPURIOUS      0x0f0
#define LAPIC_ISR           0x100 /* 8 registers of 32 vectors each, 0x10 apart */
#define LAPIC_ESR           0x280
#define LAPIC_LVT_CMCI      0x2f0
#define LAPIC_ICR           0x300 /* in xAPIC mode its low half; writing that sends */
#define LAPIC_ICR_HIGH      0x310 /* xAPIC only */
#define LAPIC_LVT_TIMER     0x320
#define LAPIC_LVT_THERMAL   0x330
#define LAPIC_LVT_PERF      0x340
#define LAPIC_LVT_LINT0     0x350
#define LAPIC_LVT_LINT1     0x360
#define LAPIC_LVT_ERROR     0x370
#define LAPIC_TIMER_INITIAL 0x380
#define LAPIC_TIMER_CURRENT 0x390
#define LAPIC_TIMER_DIVIDE  0x3e0

#define LAPIC_SPURIOUS_ENABLE (1u << 8)

#define LAPIC_LVT_NMI          (4u << 8) /* delivery mode */
#define LAPIC_LVT_SMI          (2u << 8)
#define LAPIC_LVT_DELIVERY     (7u << 8)
#define LAPIC_LVT_MASKED       (1u << 16)
#define LAPIC_LVT_TSC_DEADLINE (2u << 17) /* timer mode; 0 is one-shot */

#define LAPIC_ICR_NMI     (4u << 8) /* delivery modes (SDM 3A figure 11-12); 0 is fixed */
#define LAPIC_ICR_INIT    (5u << 8)
#define LAPIC_ICR_STARTUP (6u << 8)
#define LAPIC_ICR_PENDING (1u << 12) /* xAPIC only */
#define LAPIC_ICR_ASSERT  (1u << 14)
#define LAPIC_ICR_SELF    (1u << 18) /* shorthand */

#define LAPIC_ICR_HIGH_SHIFT  24 /* xAPIC: the destination */
#define LAPIC_XAPIC_BROADCAST 0xffu

#define LAPIC_ESR_SEND_ILLEGAL_VECTOR    (1u << 5) /* SDM 3A figure 11-9 */
#define LAPIC_ESR_RECEIVE_ILLEGAL_VECTOR (1u << 6)

#define LAPIC_DIVIDE_BY_1  0xbu
#define LAPIC_DIVIDE_BY_16 0x3u

/* What a device writes to raise an interrupt (SDM 3A 11.11); physical destination, fixed delivery, edge. */
#define MSI_ADDRESS_BASE              0xfee00000u
#define MSI_ADDRESS_DESTINATION_SHIFT 12
