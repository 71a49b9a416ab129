/* The interrupt controllers of a PC: each CPU's local APIC and the I/O APICs. */
#pragma once

#include <base/compiler.h>

/* Turns the boot CPU's local APIC on, in x2APIC mode where the CPU has it and the firmware lets it, and registers it
 * and every I/O APIC with irq. The tables are the firmware's (ACPI's MADT); without them the local APIC's own address
 * and the one I/O APIC every PC has are tried. A machine without any goes on, without interrupts, with a message.
 * Context: init; needs the heap and acpi_init. */
void apic_init(void);

/* Another CPU's local APIC, by that CPU: in the same mode, everything masked; the vectors every CPU has are claimed.
 * The pin for NMIs stays the boot CPU's. Returns 0 or -ENODEV. Context: init of a CPU. */
MUST_CHECK int apic_init_cpu(void);

/* Registers the local APIC's timer with time: TSC-deadline where the CPU has it, else one-shot, measured against the
 * clock. Context: init, after the clock sources. */
void lapic_timer_init(void);
