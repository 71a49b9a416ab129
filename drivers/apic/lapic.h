/* The local APIC of the CPU that executes this. */
#pragma once

#include <base/address.h>
#include <base/compiler.h>
#include <base/types.h>

/* Finds and enables it, everything masked; registers it as the interrupt controller. base: from the firmware, or 0.
 * In x2APIC mode where the CPU has it and may_use_x2apic, or is in it already. Returns 0, -ENODEV, -ENOMEM. Context:
 * init. */
MUST_CHECK int lapic_init(paddr_t base, bool may_use_x2apic);
bool lapic_is_present(void);

/* The same for another CPU, which runs this: registers and mode as the boot CPU's. -ENODEV where that cannot be.
 * Context: init of a CPU. */
MUST_CHECK int lapic_init_cpu(void);

/* The same for its timer, which stays silent until time arms it. Context: init of a CPU, after lapic_init_cpu. */
void lapic_timer_init_cpu(void);

/* This pin (0 or 1) is an NMI. Context: init. */
void lapic_set_nmi_pin(unsigned pin);

uint32_t lapic_id(void);
uint32_t lapic_read(unsigned offset);
void lapic_write(unsigned offset, uint32_t value);
