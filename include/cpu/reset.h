/* Ways to leave the machine. Context: any. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

/* Stops this CPU for good, interrupts off. */
NORETURN void machine_halt(void);

/* Resets the machine: keyboard controller, then the chipset's reset register, then a triple fault. */
NORETURN void machine_reset(void);

/* Values for machine_exit; QEMU's exit code is value * 2 + 1. */
#define MACHINE_EXIT_SUCCESS 0x10 /* 33 */
#define MACHINE_EXIT_FAILURE 0x11 /* 35 */

/* Leaves QEMU through isa-debug-exit; returns where there is none. */
void machine_exit(uint8_t value);
