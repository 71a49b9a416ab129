/* The protections that live in control registers: NX, write protection in ring 0, SMEP, SMAP, UMIP, global pages. */
#pragma once

/* Turns on all that this CPU has (SDM 3A 2.5, 4.6). Context: init, on each CPU, after cpu_features_detect; the CPU has
 * NX. */
void cpu_enable_protections(void);
