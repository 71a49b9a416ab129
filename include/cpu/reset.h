/* Ways to leave the machine. Context: any. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

/* Stops this CPU for good, interrupts off. */
NORETURN void machine_halt(void);

/* Resets the machine: as was registered, then the keyboard controller, the chipset's reset register, and a triple
 * fault. */
NORETURN void machine_reset(void);

/* Turns the machine off as was registered. Returns only when that did not work: -ENODEV where nothing is registered or
 * the machine has no way, -EIO where it is still running. */
int machine_power_off(void);

/* What knows better registers: reset returns when it did nothing, power_off as machine_power_off. Both are called in
 * any context, a dying kernel's included. Context: init. */
void machine_set_reset(void (*reset)(void));
void machine_set_power_off(int (*power_off)(void));

/* Values for machine_exit; QEMU's exit code is value * 2 + 1. */
#define MACHINE_EXIT_SUCCESS 0x10 /* 33 */
#define MACHINE_EXIT_FAILURE 0x11 /* 35 */

/* Leaves QEMU through isa-debug-exit; returns where there is none. */
void machine_exit(uint8_t value);
