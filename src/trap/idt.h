/* The interrupt descriptor table, shared by all CPUs. */
#pragma once

#include <base/types.h>

/* Fills all 256 gates and loads the table on this CPU. Context: init. */
void idt_init(void);

/* Loads it, filled before, on another CPU. Context: init of a CPU. */
void idt_load(void);

/* From now on the vector runs on this entry of the TSS's interrupt stack table, 1 to 7 (SDM 3A 6.14.5). */
void idt_set_ist(unsigned vector, unsigned ist);
